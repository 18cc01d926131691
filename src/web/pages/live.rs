//! News for the pages that are open: mail came in. A page then reads its list anew.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse as _;
use axum::response::Response;
use axum::response::sse::Event;
use axum::response::sse::KeepAlive;
use axum::response::sse::Sse;
use futures_util::stream;
use futures_util::stream::Stream;
use tokio::time::Instant;

use crate::error::Error;
use crate::events::Subscription;
use crate::ingest::Arrival;
use crate::operations::Services;
use crate::operations::portal::Earshot;
use crate::operations::sign_in;
use crate::web::admin::Admin;
use crate::web::portal::Holder;
use crate::web::render::Answer;

/// How long a signed-out browser's stream may stay open, silent.
const CHECK: Duration = Duration::from_secs(5);
/// The most news a second; a busy server would otherwise make every page read its list for each message.
const PAUSE: Duration = Duration::from_millis(400);
/// Then the browser connects anew, so that streams do not pile up behind proxies that hide a lost connection.
const LONGEST: Duration = Duration::from_mins(15);

/// `GET /admin/live`: server-sent events of every arrival. Ends with the session.
pub(in crate::web) async fn stream(admin: Admin) -> Answer {
    let token = admin.visit.session_token.unwrap_or_default();
    let services = admin.ctx.services;
    // From here on nothing is missed.
    let news = services.bus.arrivals();
    Ok(Watch::of(services, news, Listener::Admin { token }))
}

/// `GET /portal/live`: server-sent events of arrivals in the mailboxes that the holder sees. Ends with the session.
pub(in crate::web) async fn stream_within(holder: Holder) -> Answer {
    let token = holder.visit.session_token.unwrap_or_default();
    let services = holder.ctx.services;
    let news = services.bus.arrivals();
    let earshot = Earshot::of(&services, &token).await?.ok_or_else(|| Error::Unauthenticated("Sign in again.".into()))?;
    Ok(Watch::of(services, news, Listener::Holder { token, earshot }))
}

/// Whose page is open.
enum Listener {
    /// An administrator hears of everything.
    Admin { token: String },
    /// A holder hears of the mailboxes that it sees.
    Holder { token: String, earshot: Earshot },
}

impl Listener {
    /// Whether an arrival is for this listener.
    async fn hears(&mut self, services: &Services, arrival: Arrival) -> bool {
        match self {
            Self::Admin { .. } => true,
            // Nothing is told while the database is away; the page asks for its list when it comes back.
            Self::Holder { earshot, .. } => earshot.hears(services, arrival).await.unwrap_or(false),
        }
    }

    /// Whether the session goes on; what it sees is read anew.
    async fn is_signed_in(&mut self, services: &Services) -> bool {
        match self {
            Self::Admin { token } => matches!(sign_in::session_of(services, token).await, Ok(Some(_))),
            Self::Holder { token, earshot } => match Earshot::of(services, token).await {
                Ok(Some(now)) => {
                    *earshot = now;
                    true
                }
                Ok(None) | Err(_) => false,
            },
        }
    }
}

struct Watch {
    news: Subscription,
    services: Services,
    listener: Listener,
    /// When the session was last found to go on.
    checked: Instant,
    until: Instant,
}

impl Watch {
    fn of(services: Services, news: Subscription, listener: Listener) -> Response {
        let now = Instant::now();
        let watch = Self { news, services, listener, checked: now, until: now + LONGEST };
        Sse::new(watch.into_events()).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))).into_response()
    }

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
                news = tokio::time::timeout_at(self.checked + CHECK, self.news.any()) => news,
            };
            match news {
                // No more can come: the server stops.
                Ok(None) => return false,
                Ok(Some(arrival)) if self.listener.hears(&self.services, arrival).await => {
                    tokio::time::sleep(PAUSE).await;
                    return self.is_signed_in().await;
                }
                // Somebody else's mail.
                Ok(Some(_)) if self.checked.elapsed() < CHECK => {}
                Ok(Some(_)) | Err(_) => {
                    if !self.is_signed_in().await {
                        return false;
                    }
                }
            }
        }
        false
    }

    async fn is_signed_in(&mut self) -> bool {
        self.checked = Instant::now();
        self.listener.is_signed_in(&self.services).await
    }
}
