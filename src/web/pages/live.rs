//! News for the pages that are open: mail came in. A page then reads its list anew.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse as _;
use axum::response::sse::Event;
use axum::response::sse::KeepAlive;
use axum::response::sse::Sse;
use futures_util::stream;
use futures_util::stream::Stream;
use tokio::time::Instant;

use crate::events::Subscription;
use crate::operations::Services;
use crate::operations::sign_in;
use crate::web::admin::Admin;
use crate::web::render::Answer;

/// How long a signed-out browser's stream may stay open, silent.
const CHECK: Duration = Duration::from_secs(5);
/// The most news a second; a busy server would otherwise make every page read its list for each message.
const PAUSE: Duration = Duration::from_millis(400);
/// Then the browser connects anew, so that streams do not pile up behind proxies that hide a lost connection.
const LONGEST: Duration = Duration::from_mins(15);

/// `GET /admin/live`: server-sent events. Ends with the session.
pub(in crate::web) async fn stream(admin: Admin) -> Answer {
    let token = admin.visit.session_token.unwrap_or_default();
    let services = admin.ctx.services;
    let watch = Watch { news: services.bus.arrivals(), services, token, until: Instant::now() + LONGEST };
    Ok(Sse::new(watch.into_events()).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))).into_response())
}

struct Watch {
    news: Subscription,
    services: Services,
    token: String,
    until: Instant,
}

impl Watch {
    fn into_events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let hello = stream::iter([Ok(Event::default().event("ready").data("1").retry(Duration::from_secs(3)))]);
        let news = stream::unfold(self, |mut watch| async {
            watch.next().await.then(|| (Ok(Event::default().event("arrival").data("1")), watch))
        });
        stream::StreamExt::chain(hello, news)
    }

    /// Waits for news. False once the session is over, the stream is old or the server stops.
    async fn next(&mut self) -> bool {
        while Instant::now() < self.until {
            let news = tokio::select! {
                () = self.services.stop.cancelled() => return false,
                news = tokio::time::timeout(CHECK, self.news.any()) => news,
            };
            match news {
                // No more can come: the server stops.
                Ok(None) => return false,
                Ok(Some(_)) => {
                    tokio::time::sleep(PAUSE).await;
                    return self.is_signed_in().await;
                }
                Err(_) => {
                    if !self.is_signed_in().await {
                        return false;
                    }
                }
            }
        }
        false
    }

    async fn is_signed_in(&self) -> bool {
        matches!(sign_in::session_of(&self.services, &self.token).await, Ok(Some(_)))
    }
}
