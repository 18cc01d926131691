//! The trace fields on top of a message: `Return-Path` and `Received` (RFC 5321 section 4.4).

use std::fmt::Write as _;
use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::ingest::Envelope;
use crate::types::{Address, ContentId};

/// More `Received` fields than this mean that a message runs in circles (RFC 5321 section 6.3 asks for at least 100).
pub(super) const MOST_HOPS: usize = 100;

/// The trace fields, with their line ends. `recipient` only where there is exactly one, so that none learns of another.
///
/// Every part was checked when it came in; none can hold a line end.
pub(super) fn fields(
    envelope: &Envelope,
    hostname: &str,
    id: ContentId,
    recipient: Option<&Address>,
    now: DateTime<Utc>,
) -> String {
    let mut text = String::with_capacity(320);
    // Writing to a String cannot fail.
    let _ = write!(text, "Return-Path: <{}>\r\nReceived: from {} (", envelope.reverse_path, envelope.helo);
    let _ = match envelope.remote {
        IpAddr::V4(address) => write!(text, "[{address}]"),
        IpAddr::V6(address) => write!(text, "[IPv6:{address}]"),
    };
    let _ = write!(text, ")\r\n\tby {hostname} with {}", envelope.protocol);
    if let Some(tls) = &envelope.tls {
        let _ = write!(text, " ({tls})");
    }
    let _ = write!(text, " id {id}");
    if let Some(recipient) = recipient {
        let _ = write!(text, "\r\n\tfor <{recipient}>");
    }
    let _ = write!(text, ";\r\n\t{}\r\n", now.format("%a, %d %b %Y %H:%M:%S %z"));
    text
}

/// The keyword after `with` (RFC 3848, RFC 6531 section 4.3).
pub(super) fn protocol(extended: bool, encrypted: bool, smtputf8: bool) -> &'static str {
    match (extended, encrypted, smtputf8) {
        (false, _, _) => "SMTP",
        (true, false, false) => "ESMTP",
        (true, true, false) => "ESMTPS",
        (true, false, true) => "UTF8SMTP",
        (true, true, true) => "UTF8SMTPS",
    }
}

/// Counts the `Received` fields of a header section, piece by piece; ends a little above the limit.
#[derive(Debug, Default)]
pub(super) struct Hops {
    count: usize,
    /// The beginning of a line whose end is still to come.
    begun: Vec<u8>,
    /// The header section is over, or there are too many.
    done: bool,
}

/// As much of a line as tells what it is.
const TELLING_OCTETS: usize = 64;

impl Hops {
    /// Reads the next piece of the message.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !self.done && !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let (line, next) = rest.split_at_checked(end.map_or(rest.len(), |at| at + 1)).unwrap_or((rest, &[]));
            if end.is_some() && self.begun.is_empty() {
                self.line(line);
            } else {
                let telling = line.len().min(TELLING_OCTETS.saturating_sub(self.begun.len()));
                self.begun.extend_from_slice(line.get(..telling).unwrap_or_default());
                if end.is_some() {
                    let line = std::mem::take(&mut self.begun);
                    self.line(&line);
                }
            }
            rest = next;
        }
    }

    fn line(&mut self, line: &[u8]) {
        let is_empty = line.trim_ascii().is_empty() && !line.starts_with(b" ") && !line.starts_with(b"\t");
        self.count += usize::from(is_received(line));
        self.done = is_empty || self.count > MOST_HOPS;
    }

    /// How many there are, the line that was begun last among them.
    pub(super) fn count(&self) -> usize {
        self.count + usize::from(!self.done && is_received(&self.begun))
    }
}

fn is_received(line: &[u8]) -> bool {
    line.split_at_checked(8)
        .is_some_and(|(name, rest)| name.eq_ignore_ascii_case(b"Received") && rest.trim_ascii_start().starts_with(b":"))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;
    use uuid::Uuid;

    use super::*;

    fn envelope() -> Envelope {
        Envelope {
            reverse_path: "bounce@example.net".into(),
            helo: "mail.example.net".into(),
            remote: IpAddr::from([192, 0, 2, 1]),
            protocol: "ESMTPS",
            tls: Some("TLSv1.3 TLS_AES_256_GCM_SHA384".into()),
            require_tls: false,
            session: None,
        }
    }

    #[test]
    fn the_fields_say_where_a_message_came_from() {
        let now = Utc.with_ymd_and_hms(2026, 2, 9, 10, 15, 0).single().expect("a time");
        let address: Address = "alice@example.org".parse().expect("valid");
        let id = ContentId(Uuid::nil());
        assert_eq!(
            fields(&envelope(), "mx.example.org", id, Some(&address), now),
            "Return-Path: <bounce@example.net>\r\n\
             Received: from mail.example.net ([192.0.2.1])\r\n\
             \tby mx.example.org with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384) id 00000000-0000-0000-0000-000000000000\r\n\
             \tfor <alice@example.org>;\r\n\
             \tMon, 09 Feb 2026 10:15:00 +0000\r\n"
        );
        let plain =
            Envelope { reverse_path: String::new(), remote: "2001:db8::1".parse().expect("IPv6"), tls: None, ..envelope() };
        let text = fields(&plain, "mx.example.org", id, None, now);
        assert!(text.starts_with("Return-Path: <>\r\nReceived: from mail.example.net ([IPv6:2001:db8::1])\r\n"), "{text}");
        assert!(!text.contains("for <"), "{text}");
    }

    #[test]
    fn hops_are_counted_in_the_header_section_only() {
        for (content, expected) in [
            (&b""[..], 0),
            (b"Received: a\r\nSubject: x\r\n\r\nReceived: b\r\n", 1),
            (b"RECEIVED : a\r\n\tReceived: folded\r\nreceived:b\r\n\r\n", 2),
            (b"Received-SPF: pass\r\nX-Received: a\r\n", 0),
            (b"Received: a\n \nReceived: b\n\nReceived: c", 2),
            (b"\r\nReceived: a", 0),
            (b"Received", 0),
        ] {
            for size in 1..=content.len().max(1) {
                let mut hops = Hops::default();
                content.chunks(size).for_each(|piece| hops.feed(piece));
                assert_eq!(hops.count(), expected, "{} in pieces of {size}", content.escape_ascii());
            }
        }
        let mut hops = Hops::default();
        hops.feed(&b"Received: x\r\n".repeat(5000));
        assert_eq!(hops.count(), MOST_HOPS + 1);
    }
}
