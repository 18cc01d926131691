//! A caller of the API, who writes the octets of each request and reads the answer to its end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::schema;

/// How long an answer may take; longer than the longest wait that can be asked for.
const PATIENCE: Duration = Duration::from_secs(70);
/// Below it lie all operations.
const BASE: &str = "/api/v1";

/// A caller with a set of headers; each request has a connection of its own.
#[derive(Clone)]
pub(crate) struct Rest {
    server: SocketAddr,
    headers: Vec<(String, String)>,
}

impl Rest {
    /// A caller without a key.
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self { server, headers: Vec::new() }
    }

    /// The same caller with one more header.
    pub(crate) fn header(&self, name: &str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name.to_owned(), value.to_owned()));
        Self { server: self.server, headers }
    }

    /// A caller with this key and no other header.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self::new(self.server).header("Authorization", &format!("Bearer {key}"))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.request("POST", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.request("PATCH", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, None).await
    }

    /// Calls an operation below `/api/v1`, with a JSON body where there is one.
    pub(crate) async fn request(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        let answer = self.send(method, &format!("{BASE}{path}"), body).await;
        schema::check(method, path, &answer);
        answer
    }

    /// Sends a request to any path, with a body of any type.
    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let answer = tokio::time::timeout(PATIENCE, self.try_send(method, path, body)).await.expect("an answer in time");
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same, where the server may be away.
    pub(crate) async fn try_send(&self, method: &str, path: &str, body: Option<(&str, Vec<u8>)>) -> std::io::Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.server);
        for (name, value) in &self.headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        if let Some((media_type, body)) = &body {
            let length = body.len().to_string();
            request.extend(["Content-Type: ", media_type, "\r\nContent-Length: ", &length, "\r\n"]);
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(self.server).await?;
        stream.write_all(&[request.as_bytes(), &body.map(|(_, body)| body).unwrap_or_default()].concat()).await?;
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).await?;
        Answer::parse(format!("{method} {path}"), &octets).ok_or(std::io::ErrorKind::UnexpectedEof.into())
    }

    /// All rows of a listing, by its cursor.
    pub(crate) async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let answer = self.get(&format!("{path}{mark}limit={limit}{cursor}")).await;
            let (page, next) = answer.page();
            assert!(page.len() <= limit, "{path}: more rows than asked for");
            rows.extend(page);
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

/// An answer, whatever it is.
#[derive(Debug)]
pub(crate) struct Answer {
    request: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// `None` where the octets break off.
    fn parse(request: String, octets: &[u8]) -> Option<Self> {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(end) = head.parse(octets).ok()? else { return None };
        let headers: HeaderMap = head
            .headers
            .iter()
            .map(|field| Some((HeaderName::try_from(field.name).ok()?, HeaderValue::from_bytes(field.value).ok()?)))
            .collect::<Option<_>>()?;
        assert!(!headers.contains_key("transfer-encoding"), "{request}: an answer in chunks, which this client does not read");
        let body = octets.get(end..)?.to_vec();
        let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length != body.len()) {
            return None;
        }
        Some(Self { request, status: head.code?, headers, body })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// The octets of a success.
    pub(crate) fn octets(self) -> Vec<u8> {
        assert_eq!(self.status, 200, "{self}");
        self.body
    }

    /// The data of a success.
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{self}");
        assert_eq!(self.header("content-type"), "application/json", "{self}");
        let mut body = self.json();
        assert_eq!(body["success"], true, "{self}");
        body["data"].take()
    }

    /// The rows of a page, and where the list goes on.
    pub(crate) fn page(&self) -> (Vec<Value>, Option<String>) {
        let Value::Array(rows) = self.data() else { panic!("{self}: not a list") };
        let body = self.json();
        assert!(body.get("next_cursor").is_some(), "{self}: no next_cursor");
        (rows, body["next_cursor"].as_str().map(str::to_owned))
    }

    /// The body of a failure with this status and code; all that a problem must have is in it (RFC 9457, and the older two fields).
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
        let body = self.json();
        assert_eq!(body["code"], code, "{self}");
        assert_eq!(body["status"], status, "{self}");
        assert_eq!(body["success"], false, "{self}");
        assert_eq!(body["error"], body["detail"], "{self}");
        assert_eq!(body["type"], format!("urn:pillarbox:problem:{code}"), "{self}");
        assert_eq!(body["request_id"], self.header("x-request-id"), "{self}");
        for field in ["error", "title", "fix", "request_id"] {
            assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{self}: no {field}");
        }
        body
    }

    /// A refusal of the input that points at this part of it.
    pub(crate) fn points_at(&self, pointer: &str) {
        let body = self.problem(400, "invalid_input");
        let pointers: Vec<_> = body["errors"].as_array().into_iter().flatten().map(|error| error["pointer"].clone()).collect();
        assert!(pointers.iter().any(|found| found == pointer), "{self}: not at {pointer}");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: String = self.text().chars().take(2000).collect();
        write!(f, "{} answered {}: {shown}", self.request, self.status)
    }
}
