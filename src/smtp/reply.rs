//! Replies: code, enhanced status code (RFC 3463, RFC 2034) and a text that says what the sender should do.

use std::borrow::Cow;

use crate::error::Error;
use crate::ingest::{Refusal, Rejection};

/// A reply. A text of several lines is written as a reply of several lines (RFC 5321 section 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// The reply code.
    pub(super) code: u16,
    /// Empty where the reply has none: greeting, EHLO, HELO and 354.
    enhanced: &'static str,
    text: Cow<'static, str>,
}

/// What the answer to EHLO tells of this server and this session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// The largest message.
    pub(super) size_octets: usize,
    /// The most messages in a session.
    pub(super) messages: usize,
    /// The most recipients of a message.
    pub(super) recipients: usize,
    pub(super) tls: Tls,
}

/// What there is of TLS in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// Nothing.
    Unknown,
    /// It may be started.
    Possible,
    /// It was started.
    Active,
}

const fn fixed(code: u16, enhanced: &'static str, text: &'static str) -> Reply {
    Reply { code, enhanced, text: Cow::Borrowed(text) }
}

pub(super) const OK: Reply = fixed(250, "2.0.0", "OK");
pub(super) const SENDER_OK: Reply = fixed(250, "2.1.0", "Sender OK");
pub(super) const RECIPIENT_OK: Reply = fixed(250, "2.1.5", "Recipient OK");
pub(super) const GO_AHEAD: Reply = fixed(354, "", "Send the message, end with a line of a single dot");
pub(super) const BYE: Reply = fixed(221, "2.0.0", "Goodbye");
pub(super) const READY_FOR_TLS: Reply = fixed(220, "2.0.0", "Ready to start TLS");
pub(super) const CANNOT_VERIFY: Reply = fixed(252, "2.0.0", "Addresses are not verified; send RCPT TO to find out");
pub(super) const HELP: Reply = fixed(
    214,
    "2.0.0",
    "Commands: EHLO HELO STARTTLS MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\nThis server receives mail for its own domains only",
);

pub(super) const UNKNOWN_COMMAND: Reply = fixed(500, "5.5.1", "Command not recognized; HELP lists the commands");
pub(super) const NOT_OFFERED: Reply = fixed(502, "5.5.1", "This command is not offered here; HELP lists the commands");
pub(super) const BAD_OCTETS: Reply =
    fixed(500, "5.5.2", "The line has characters that no command may have; end lines with CR LF only");
pub(super) const LINE_TOO_LONG: Reply = fixed(500, "5.5.6", "The line is too long");
pub(super) const NO_ARGUMENT: Reply = fixed(501, "5.5.4", "This command takes no argument");
pub(super) const ARGUMENT_MISSING: Reply = fixed(501, "5.5.4", "This command needs an argument");
pub(super) const BAD_HELLO: Reply = fixed(501, "5.5.4", "Give your host name, as in EHLO mail.example.org");
pub(super) const MAIL_SYNTAX: Reply = fixed(501, "5.5.2", "Write MAIL FROM:<address>");
pub(super) const RCPT_SYNTAX: Reply = fixed(501, "5.5.2", "Write RCPT TO:<address>");
pub(super) const BAD_SENDER: Reply = fixed(501, "5.1.7", "The sender is not an address; write MAIL FROM:<user@example.org>");
pub(super) const BAD_RECIPIENT: Reply = fixed(501, "5.1.3", "The recipient is not an address; write RCPT TO:<user@example.org>");
pub(super) const BAD_CHUNK: Reply = fixed(501, "5.5.4", "Write BDAT size, or BDAT size LAST for the last chunk");
pub(super) const BAD_PARAMETER: Reply = fixed(501, "5.5.4", "A parameter is malformed or given twice");
pub(super) const UNKNOWN_PARAMETER: Reply = fixed(555, "5.5.4", "A parameter is not recognized; EHLO lists what is offered");
pub(super) const NEEDS_SMTPUTF8: Reply = fixed(553, "5.6.7", "The address needs SMTPUTF8, given as a parameter of MAIL FROM");

pub(super) const HELLO_FIRST: Reply = fixed(503, "5.5.1", "Send EHLO first");
pub(super) const MAIL_FIRST: Reply = fixed(503, "5.5.1", "Send MAIL FROM first");
pub(super) const NESTED_MAIL: Reply = fixed(503, "5.5.1", "A sender is given already; send RSET to start anew");
pub(super) const CHUNKS_BEGAN: Reply =
    fixed(503, "5.5.1", "The message began with BDAT; go on with BDAT, or send RSET to start anew");
pub(super) const NEEDS_CHUNKS: Reply = fixed(503, "5.5.1", "With BODY=BINARYMIME the message comes with BDAT, not DATA");
pub(super) const TLS_ALREADY: Reply = fixed(503, "5.5.1", "TLS is active already");
pub(super) const NO_RECIPIENTS: Reply = fixed(554, "5.5.1", "No valid recipients; send RCPT TO first");

pub(super) const TOO_MANY_RECIPIENTS: Reply = fixed(452, "4.5.3", "Too many recipients; send the rest in another transaction");
pub(super) const MESSAGE_TOO_LARGE: Reply = fixed(552, "5.3.4", "The message is larger than this server takes; see SIZE in EHLO");
pub(super) const LOOPING: Reply = fixed(554, "5.4.6", "The message passed too many hosts; mail is looping");
pub(super) const NO_SPACE: Reply = fixed(452, "4.3.1", "The server has no room for the message; try again later");
pub(super) const TRY_LATER: Reply = fixed(451, "4.3.0", "The server cannot store mail at the moment; try again later");

pub(super) const TOO_MANY_ERRORS: Reply = fixed(421, "4.7.0", "Too many errors; closing");
pub(super) const TOO_MANY_MESSAGES: Reply = fixed(421, "4.7.0", "Too many messages in one session; connect anew");
pub(super) const TOO_MANY_COMMANDS: Reply = fixed(421, "4.7.0", "Too many commands in a short time; come back in a few minutes");
pub(super) const TOO_MUCH_JUNK: Reply = fixed(421, "4.7.0", "Too many commands without a message; closing");
pub(super) const SEND_LATER: Reply = fixed(450, "4.7.1", "Too much mail from your address in a short time; try again later");
pub(super) const TOO_SLOW: Reply = fixed(421, "4.4.2", "The message comes too slowly; closing");
pub(super) const NOT_A_PROXY: Reply =
    fixed(421, "4.7.0", "The PROXY protocol is taken from this server's own proxies only; closing");
pub(super) const NOT_TLS: Reply = fixed(421, "4.7.0", "TLS begins with STARTTLS here; closing");
pub(super) const NOT_HTTP: Reply = fixed(421, "4.7.0", "This server speaks SMTP, not HTTP; closing");
pub(super) const TIMED_OUT: Reply = fixed(421, "4.4.2", "Waited too long; closing");
pub(super) const CLOSED: Reply = fixed(421, "4.4.2", "The connection was closed without QUIT");
pub(super) const SHUTTING_DOWN: Reply = fixed(421, "4.3.2", "The server is shutting down; try again in a moment");

impl Reply {
    pub(super) fn greeting(hostname: &str) -> Self {
        Self { code: 220, enhanced: "", text: format!("{hostname} ESMTP Pillarbox").into() }
    }

    pub(super) fn busy(hostname: &str) -> Self {
        let text = format!("{hostname} Too many connections; try again in a few minutes");
        Self { code: 421, enhanced: "4.7.0", text: text.into() }
    }

    /// To a peer that is banned.
    pub(super) fn banned(hostname: &str, reason: &str, minutes: i64) -> Self {
        let what = match reason {
            "unknown_recipients" => "too many recipients that do not exist here",
            _ => "too many errors",
        };
        let text = format!("{hostname} Your address is turned away for {what}; try again in {minutes} minutes");
        Self { code: 421, enhanced: "4.7.0", text: text.into() }
    }

    /// To a peer that is banned from now on, in the midst of its session.
    pub(super) fn banned_now(reason: &str) -> Self {
        match reason {
            "unknown_recipients" => fixed(421, "4.7.0", "Too many recipients that do not exist here; closing, for a while"),
            _ => fixed(421, "4.7.0", "Too many errors; closing, for a while"),
        }
    }

    pub(super) fn hello(hostname: &str) -> Self {
        Self { code: 250, enhanced: "", text: hostname.to_owned().into() }
    }

    /// The answer to EHLO. Announces only what works (RFC 5321 section 4.1.1.1).
    pub(super) fn extended_hello(hostname: &str, offer: &Offer) -> Self {
        let Offer { size_octets, messages, recipients, tls } = offer;
        let tls = match tls {
            Tls::Unknown => "",
            Tls::Possible => "\nSTARTTLS",
            // RFC 8689 section 2: only inside TLS.
            Tls::Active => "\nREQUIRETLS",
        };
        // RFC 9422 section 4: a limit has at most six digits.
        let [messages, recipients] = [messages, recipients].map(|limit| limit.min(&999_999));
        let text = format!(
            "{hostname}\nPIPELINING\nSIZE {size_octets}\n8BITMIME\nSMTPUTF8\nCHUNKING\nBINARYMIME\nENHANCEDSTATUSCODES{tls}\n\
             LIMITS MAILMAX={messages} RCPTMAX={recipients}\nHELP"
        );
        Self { code: 250, enhanced: "", text: text.into() }
    }

    /// A chunk that is not the last was taken (RFC 3030 section 2).
    pub(super) fn chunk(octets: u64) -> Self {
        Self { code: 250, enhanced: "2.0.0", text: format!("{octets} octets received").into() }
    }

    /// The message is stored, under this name.
    pub(super) fn stored(id: &impl std::fmt::Display) -> Self {
        Self { code: 250, enhanced: "2.0.0", text: format!("Stored as {id}").into() }
    }

    /// Enhanced code and first line, as the ledger has it.
    pub(super) fn said(&self) -> String {
        let text = self.text.split('\n').next().unwrap_or_default();
        if self.enhanced.is_empty() { text.to_owned() } else { format!("{} {text}", self.enhanced) }
    }

    /// Whether a recipient was refused because there is none of that name.
    pub(super) fn is_unknown_recipient(&self) -> bool {
        self.code == 550 && self.enhanced == "5.1.1"
    }

    /// Whether the peer made a mistake, as opposed to a refusal for a reason that it could not know.
    pub(super) fn is_protocol_error(&self) -> bool {
        matches!(self.code, 500..=504 | 555)
    }

    /// Appends the reply as it goes over the wire.
    pub(super) fn write_to(&self, output: &mut Vec<u8>) {
        let mut lines = self.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let [hundreds, tens, ones] = [self.code / 100, self.code / 10, self.code].map(|n| b'0' + (n % 10) as u8);
            output.extend_from_slice(&[hundreds, tens, ones, if lines.peek().is_some() { b'-' } else { b' ' }]);
            if !self.enhanced.is_empty() {
                output.extend_from_slice(self.enhanced.as_bytes());
                output.push(b' ');
            }
            output.extend_from_slice(line.as_bytes());
            output.extend_from_slice(b"\r\n");
        }
    }
}

/// Why an address may not receive, in SMTP's terms.
pub(super) fn refusal(refusal: Refusal) -> Reply {
    match refusal {
        Refusal::ForeignDomain => fixed(550, "5.7.1", "This server does not relay; it receives for its own domains only"),
        Refusal::UnknownMailbox => fixed(550, "5.1.1", "There is no such mailbox here; check the address"),
        Refusal::Inactive => fixed(550, "5.2.1", "This mailbox does not take mail at present"),
    }
}

/// Why a message is not taken, in SMTP's terms (RFC 7372 section 3.2).
pub(super) fn rejection(rejection: &Rejection) -> Reply {
    match rejection {
        Rejection::Disowned { domain } => {
            let text =
                format!("Neither SPF nor DKIM proves that this is mail of {domain}, and its DMARC policy asks for refusal");
            Reply { code: 550, enhanced: "5.7.26", text: text.into() }
        }
        Rejection::Listed { zone } => Reply {
            code: 554,
            enhanced: "5.7.1",
            text: format!("Your address is on the list {zone}; ask there to be removed").into(),
        },
    }
}

/// A failure in SMTP's terms. Never permanent, so that the sender keeps the message and comes back.
pub(super) fn failure(error: &Error) -> Reply {
    match error {
        Error::Invalid { .. }
        | Error::NotFound { .. }
        | Error::Conflict { .. }
        | Error::Unauthenticated(_)
        | Error::Forbidden(_)
        | Error::OutOfReach
        | Error::TooMany { .. }
        | Error::Unavailable { .. }
        | Error::Internal(_) => TRY_LATER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(reply: &Reply) -> String {
        let mut output = Vec::new();
        reply.write_to(&mut output);
        String::from_utf8(output).expect("ASCII")
    }

    #[test]
    fn replies_are_well_formed() {
        let offer = Offer { size_octets: 1000, messages: 10_000_000, recipients: 100, tls: Tls::Possible };
        assert_eq!(text(&OK), "250 2.0.0 OK\r\n");
        assert_eq!(text(&Reply::greeting("mail.example.org")), "220 mail.example.org ESMTP Pillarbox\r\n");
        assert!(text(&HELP).starts_with("214-2.0.0 Commands"), "each line has the enhanced code (RFC 2034 section 4)");
        assert_eq!(
            text(&Reply::extended_hello("h.example", &offer)),
            "250-h.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n\
             250-BINARYMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-LIMITS MAILMAX=999999 RCPTMAX=100\r\n250 HELP\r\n"
        );
        for (tls, start, require) in [(Tls::Unknown, false, false), (Tls::Possible, true, false), (Tls::Active, false, true)] {
            let text = text(&Reply::extended_hello("h.example", &Offer { tls, ..offer }));
            assert_eq!((text.contains("-STARTTLS\r\n"), text.contains("-REQUIRETLS\r\n")), (start, require), "{tls:?}");
        }
    }

    #[test]
    fn the_class_of_both_codes_agrees() {
        for reply in [
            OK,
            SENDER_OK,
            RECIPIENT_OK,
            BYE,
            READY_FOR_TLS,
            CANNOT_VERIFY,
            HELP,
            UNKNOWN_COMMAND,
            NOT_OFFERED,
            BAD_OCTETS,
            LINE_TOO_LONG,
            NO_ARGUMENT,
            ARGUMENT_MISSING,
            BAD_HELLO,
            MAIL_SYNTAX,
            RCPT_SYNTAX,
            BAD_SENDER,
            BAD_RECIPIENT,
            BAD_CHUNK,
            CHUNKS_BEGAN,
            NEEDS_CHUNKS,
            Reply::chunk(5),
            BAD_PARAMETER,
            UNKNOWN_PARAMETER,
            NEEDS_SMTPUTF8,
            HELLO_FIRST,
            MAIL_FIRST,
            NESTED_MAIL,
            TLS_ALREADY,
            NO_RECIPIENTS,
            TOO_MANY_RECIPIENTS,
            MESSAGE_TOO_LARGE,
            LOOPING,
            NO_SPACE,
            TRY_LATER,
            TOO_MANY_ERRORS,
            TOO_MANY_MESSAGES,
            NOT_HTTP,
            TOO_MANY_COMMANDS,
            TOO_MUCH_JUNK,
            SEND_LATER,
            TOO_SLOW,
            NOT_A_PROXY,
            NOT_TLS,
            Reply::banned("h.example", "errors", 60),
            Reply::banned_now("errors"),
            Reply::banned_now("unknown_recipients"),
            TIMED_OUT,
            CLOSED,
            SHUTTING_DOWN,
            refusal(Refusal::ForeignDomain),
            refusal(Refusal::UnknownMailbox),
            refusal(Refusal::Inactive),
            Reply::busy("h.example"),
        ] {
            let class = (reply.code / 100).to_string();
            assert!(reply.enhanced.starts_with(&class), "{reply:?}");
            assert!(text(&reply).split("\r\n").all(|line| line.len() <= 510 && line.is_ascii()), "{reply:?}");
        }
    }
}
