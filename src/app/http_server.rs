//! The HTTP listener: connections in bounded number, each with bounded patience.
//!
//! `axum::serve` waits for ever for a header section and for a body, and takes any number of connections; a handful of peers
//! that send one octet a minute would keep everybody else out.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::serve::Listener;
use futures_util::StreamExt as _;
use futures_util::stream;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use crate::config;

/// How long answers that are under way may take after the server was told to stop.
const LAST_ANSWERS: Duration = Duration::from_secs(10);
/// The largest header section; browsers with many cookies stay far below.
const MOST_HEADER_OCTETS: usize = 64 * 1024;
/// The most header fields.
const MOST_HEADER_FIELDS: usize = 100;
/// How many callers at once are told that there is no room for them; more are cut off without a word.
const MOST_TURNED_AWAY: usize = 64;
/// What a caller hears for whom there is no room.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Type: text/plain\r\n\
    Content-Length: 48\r\n\r\nToo many connections; try again in a few moments";

/// Serves HTTP until the server stops; answers that are under way may finish.
pub(super) async fn run<L>(mut listener: L, app: Router, settings: config::Http, stop: CancellationToken)
where
    L: Listener<Addr = SocketAddr>,
    L::Io: 'static,
{
    let places = Arc::new(Semaphore::new(settings.max_connections));
    let turned_away = Arc::new(Semaphore::new(MOST_TURNED_AWAY));
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let connection = serve(stream, peer, app.clone(), settings, stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(place);
            });
        } else if let Ok(place) = Arc::clone(&turned_away).try_acquire_owned() {
            connections.spawn(async move {
                turn_away(stream).await;
                drop(place);
            });
        }
    }
    drop(listener);
    connections.close();
    // Streams of live news would hold the stop up for ever.
    if timeout(LAST_ANSWERS, connections.wait()).await.is_err() {
        tracing::warn!("some answers were cut off");
    }
}

async fn serve<S>(stream: S, peer: SocketAddr, app: Router, settings: config::Http, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut app = app.clone();
        async move { Ok::<_, Infallible>(app.call(request).await.unwrap_or_else(|never| match never {})) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(MOST_HEADER_OCTETS)
        .max_headers(MOST_HEADER_FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, %peer, "an HTTP connection ended");
    }
}

async fn turn_away(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let say = async {
        stream.write_all(NO_ROOM).await?;
        stream.shutdown().await?;
        // What came already is read, or the reset that unread octets cause may overtake the answer.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
        io::Result::Ok(())
    };
    let _ = timeout(Duration::from_secs(1), say).await;
}

/// Ends the reading of a body that takes too long: a body is not for handlers to wait for, since a database connection or a
/// place in a queue may wait with them.
pub(super) async fn body_in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (deadline, is_late) = (Instant::now() + limit, Arc::new(AtomicBool::new(false)));
    let noted = Arc::clone(&is_late);
    let (parts, body) = request.into_parts();
    let pieces = stream::unfold(Some(body.into_data_stream()), move |body| {
        let noted = Arc::clone(&noted);
        async move {
            let mut body = body?;
            match timeout_at(deadline, body.next()).await {
                Ok(Some(Ok(piece))) => Some((Ok(piece), Some(body))),
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Ok(None) => None,
                Err(_) => {
                    noted.store(true, Ordering::Relaxed);
                    Some((Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut))), None))
                }
            }
        }
    });
    let response = next.run(Request::from_parts(parts, Body::from_stream(pieces))).await;
    if !is_late.load(Ordering::Relaxed) {
        return response;
    }
    let text = "The body of the request did not come in time; send it anew on a connection that is quick enough";
    let mut response = (StatusCode::REQUEST_TIMEOUT, text).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_answer_of_no_room_has_the_length_that_it_says() {
        let text = std::str::from_utf8(super::NO_ROOM).expect("ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("two parts");
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{}", body.len());
    }
}
