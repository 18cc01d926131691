//! Commands out of lines: `smtp-proto` knows the verbs, this module is strict where the crate is lax.

use smtp_proto::Request;

use super::path;
use super::reply;
use super::reply::Reply;

/// A command whose form is right. The arguments of MAIL and RCPT are read once it is known that they may come now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Ehlo(&'a str),
    Helo(&'a str),
    /// What follows `FROM:`.
    Mail(&'a str),
    /// What follows `TO:`.
    Rcpt(&'a str),
    Data,
    /// The size of a chunk, and perhaps `LAST`.
    Bdat(&'a str),
    Rset,
    Noop,
    Help,
    Vrfy,
    Quit,
    StartTls,
    /// A known command of an extension that is not announced.
    NotOffered,
    /// The first line of an HTTP request: a browser was led here.
    Http,
}

impl<'a> Command<'a> {
    /// Reads a line without its CRLF.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, Reply> {
        if line.iter().any(|b| b.is_ascii_control() && *b != b'\t') {
            return Err(reply::BAD_OCTETS);
        }
        // RFC 5321 section 4.1.1: white space before the end of a line is tolerated.
        let line = str::from_utf8(line).map_err(|_| reply::BAD_OCTETS)?.trim_end_matches([' ', '\t']);
        if line.contains('\t') {
            return Err(reply::BAD_OCTETS);
        }
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim_start_matches(' ');
        // Read here, because the crate undoes quotes in paths and takes parameters of every extension.
        if verb.eq_ignore_ascii_case("MAIL") {
            return after_keyword(argument, "FROM:").map(Self::Mail).ok_or(reply::MAIL_SYNTAX);
        }
        if verb.eq_ignore_ascii_case("RCPT") {
            return after_keyword(argument, "TO:").map(Self::Rcpt).ok_or(reply::RCPT_SYNTAX);
        }
        if verb.eq_ignore_ascii_case("BDAT") {
            return Ok(Self::Bdat(argument));
        }
        Self::other(line, verb, argument)
    }

    fn other(line: &str, verb: &str, argument: &'a str) -> Result<Self, Reply> {
        if verb.is_empty() || !verb.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(reply::UNKNOWN_COMMAND);
        }
        let terminated = [line.as_bytes(), b"\r\n"].concat();
        match Request::parse(&mut terminated.iter()) {
            Ok(Request::Ehlo { .. }) => hello(argument).map(Self::Ehlo),
            Ok(Request::Helo { .. }) => hello(argument).map(Self::Helo),
            Ok(Request::Data) => alone(Self::Data, argument),
            Ok(Request::Rset) => alone(Self::Rset, argument),
            Ok(Request::Quit) => alone(Self::Quit, argument),
            Ok(Request::StartTls) => alone(Self::StartTls, argument),
            Ok(Request::Noop { .. }) => Ok(Self::Noop),
            Ok(Request::Help { .. }) => Ok(Self::Help),
            Ok(Request::Vrfy { .. }) => Ok(Self::Vrfy),
            Ok(_) => Ok(Self::NotOffered),
            Err(_) => Self::broken(verb, line),
        }
    }

    /// What a line is that the crate did not understand.
    fn broken(verb: &str, line: &str) -> Result<Self, Reply> {
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => Err(reply::BAD_HELLO),
            "VRFY" => Err(reply::ARGUMENT_MISSING),
            "EXPN" | "AUTH" | "BURL" | "ETRN" | "ATRN" => Ok(Self::NotOffered),
            "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "CONNECT" | "TRACE" if line.contains(" HTTP/") => {
                Ok(Self::Http)
            }
            _ => Err(reply::UNKNOWN_COMMAND),
        }
    }
}

/// What follows `FROM:` or `TO:`. Spaces after the colon are wrong (RFC 5321 section 3.3) but common, and harmless.
fn after_keyword<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let (found, rest) = argument.split_at_checked(keyword.len())?;
    found.eq_ignore_ascii_case(keyword).then(|| rest.trim_start_matches(' '))
}

fn alone<'a>(command: Command<'a>, argument: &str) -> Result<Command<'a>, Reply> {
    if argument.is_empty() { Ok(command) } else { Err(reply::NO_ARGUMENT) }
}

/// A name that the peer gives itself: a host name in any form that hosts have, or an address with or without brackets.
fn hello(name: &str) -> Result<&str, Reply> {
    let sane = name.len() <= 255
        && match name.strip_prefix('[') {
            Some(literal) => literal.strip_suffix(']').is_some_and(path::is_literal_content),
            // Wider than a domain, but nothing that could mean more than itself in a header field.
            None => !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:'+/".contains(&b)),
        };
    if sane { Ok(name) } else { Err(reply::BAD_HELLO) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case() {
        for (line, command) in [
            ("EHLO mail.example.org", Command::Ehlo("mail.example.org")),
            ("ehlo [192.0.2.1]", Command::Ehlo("[192.0.2.1]")),
            ("EHLO [IPv6:2001:db8::1]", Command::Ehlo("[IPv6:2001:db8::1]")),
            ("HELO localhost", Command::Helo("localhost")),
            ("HELO my_host-1  ", Command::Helo("my_host-1")),
            ("MAIL FROM:<a@example.org> SIZE=1", Command::Mail("<a@example.org> SIZE=1")),
            ("mail from: <>", Command::Mail("<>")),
            ("RCPT TO:<a@example.org>", Command::Rcpt("<a@example.org>")),
            ("DATA", Command::Data),
            ("data \t", Command::Data),
            ("RSET", Command::Rset),
            ("NOOP", Command::Noop),
            ("NOOP what ever", Command::Noop),
            ("HELP", Command::Help),
            ("HELP MAIL", Command::Help),
            ("VRFY alice", Command::Vrfy),
            ("QUIT", Command::Quit),
            ("StartTLS", Command::StartTls),
            ("EXPN list", Command::NotOffered),
            ("EXPN", Command::NotOffered),
            ("AUTH PLAIN AGEAYg==", Command::NotOffered),
            ("AUTH", Command::NotOffered),
            ("bdat 10 LAST", Command::Bdat("10 LAST")),
            ("BDAT", Command::Bdat("")),
            ("ETRN example.org", Command::NotOffered),
            ("LHLO example.org", Command::NotOffered),
            ("GET / HTTP/1.1", Command::Http),
            ("POST /x HTTP/1.0", Command::Http),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), Ok(command), "{line}");
        }
    }

    #[test]
    fn malformed_lines_have_their_replies() {
        for (line, reply) in [
            (&b""[..], reply::UNKNOWN_COMMAND),
            (b" ", reply::UNKNOWN_COMMAND),
            (b" NOOP", reply::UNKNOWN_COMMAND),
            (b"XYZZY", reply::UNKNOWN_COMMAND),
            (b"DATAX", reply::UNKNOWN_COMMAND),
            (b"STARTTLSX", reply::UNKNOWN_COMMAND),
            (b"MAILFROM:<a@example.org>", reply::UNKNOWN_COMMAND),
            (b"Subject: x", reply::UNKNOWN_COMMAND),
            (b"EHLO", reply::BAD_HELLO),
            (b"HELO ", reply::BAD_HELLO),
            (b"EHLO a b", reply::BAD_HELLO),
            (b"EHLO [300.0.0.1]", reply::BAD_HELLO),
            (b"EHLO <a>", reply::BAD_HELLO),
            ("EHLO bücher.example".as_bytes(), reply::BAD_HELLO),
            (b"VRFY", reply::ARGUMENT_MISSING),
            (b"MAIL", reply::MAIL_SYNTAX),
            (b"MAIL TO:<a@example.org>", reply::MAIL_SYNTAX),
            (b"MAIL FROM<a@example.org>", reply::MAIL_SYNTAX),
            (b"RCPT", reply::RCPT_SYNTAX),
            (b"RCPT FROM:<a@example.org>", reply::RCPT_SYNTAX),
            (b"DATA x", reply::NO_ARGUMENT),
            (b"QUIT x", reply::NO_ARGUMENT),
            (b"RSET x", reply::NO_ARGUMENT),
            (b"STARTTLS x", reply::NO_ARGUMENT),
            (b"NOOP\nQUIT", reply::BAD_OCTETS),
            (b"NOOP\r", reply::BAD_OCTETS),
            (b"NOOP\0", reply::BAD_OCTETS),
            (b"NO\tOP", reply::BAD_OCTETS),
            (b"NOOP \xff", reply::BAD_OCTETS),
            (b"NOOP \x7f", reply::BAD_OCTETS),
        ] {
            assert_eq!(Command::parse(line), Err(reply), "{}", line.escape_ascii());
        }
    }
}
