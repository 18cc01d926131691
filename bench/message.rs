//! Messages as services send them: a letter in text and HTML with a code, a signature that does not compress, filled up to a size.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const WORDS: [&str; 32] = [
    "account", "please", "window", "service", "garden", "morning", "number", "within", "request", "device", "welcome", "thank",
    "letter", "minutes", "enter", "screen", "ignore", "people", "simple", "answer", "reason", "second", "always", "before",
    "market", "better", "should", "around", "street", "winter", "colour", "travel",
];

/// A small generator of numbers: the same for every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    /// Others for each seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn words(&mut self, count: usize) -> String {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        (0..count).map(|_| WORDS[usize::try_from(self.next() % 32).unwrap_or(0)]).collect::<Vec<_>>().join(" ")
    }

    /// Base64 of this many octets, in lines.
    fn noise(&mut self, octets: usize) -> String {
        let octets: Vec<u8> = (0..octets).map(|_| self.next().to_le_bytes()[0]).collect();
        let text = STANDARD.encode(octets);
        text.as_bytes().chunks(72).map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>().join("\r\n ")
    }
}

/// A message of about this many octets with this code, ready for DATA without the final dot.
pub(crate) fn message(seed: u64, octets: usize, code: &str, recipient: &str) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    let mut text = String::with_capacity(octets + 256);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=mail.example.net; s=s1;\r\n h=from:to:subject:date; b={}\r\n\
         From: \"Example Service\" <no-reply@mail.example.net>\r\nTo: <{recipient}>\r\nSubject: Your verification code\r\n\
         Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{seed}.{}@mail.example.net>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/alternative; boundary=\"=_part\"\r\n\r\n\
         --=_part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\nYour verification code is {code}.\r\n\
         It is valid for 10 minutes. {}\r\n\r\n\
         --=_part\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><table><tr><td>\r\n\
         <p>Your verification code is</p>\r\n<p style=\"font-size:28px\"><b>{code}</b></p>\r\n<p>It is valid for 10 minutes.</p>\r\n",
        numbers.noise(192),
        numbers.next(),
        numbers.words(8),
    );
    // Half of the rest is words, half of it a picture in the page.
    let end = "</td></tr></table></body></html>\r\n\r\n--=_part--\r\n";
    while text.len() + end.len() + 90 < octets {
        if octets > 8192 && text.len().is_multiple_of(2) {
            let _ = write!(text, "<img alt=\"\" src=\"data:image/png;base64,{}\">\r\n", numbers.noise(1500));
        } else {
            let _ = write!(text, "<p style=\"margin:0\">{}</p>\r\n", numbers.words(8));
        }
    }
    text.push_str(end);
    text.into_bytes()
}
