//! The octets of a message after DATA: where it ends, and which dots the sender added (RFC 5321 sections 4.1.1.4 and 4.5.2).

use memchr::memmem;

/// Where in the text the next octet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the very beginning, or after CRLF.
    LineStart,
    /// After a dot that opened the line; it is the sender's addition or part of the end.
    Dot,
    /// After a CR that followed such a dot, still held back.
    DotCr,
    /// After a CR.
    Cr,
    /// Anywhere else.
    Text,
}

/// Reads a message piece by piece.
///
/// Only `CRLF . CRLF`, or `. CRLF` at the very beginning, ends it. Everything that looks alike with a bare CR or LF is content
/// and is kept, so that nothing in a message can be taken for a command (CVE-2023-51764). The result does not depend on how
/// the octets were split.
#[derive(Debug)]
pub(super) struct DataReader {
    place: Place,
}

/// How far a piece was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of it; the message goes on.
    More,
    /// The message ended after this many octets; the rest are commands.
    Ended(usize),
}

impl DataReader {
    pub(super) fn new() -> Self {
        Self { place: Place::LineStart }
    }

    /// Reads a piece and hands its content to `keep`, in at most one octet more than the piece has.
    pub(super) fn read(&mut self, piece: &[u8], mut keep: impl FnMut(&[u8])) -> Progress {
        let mut at = 0;
        while let Some(&octet) = piece.get(at) {
            match (self.place, octet) {
                (Place::Text, _) => at = self.text(piece, at, &mut keep),
                (Place::LineStart, b'.') => {
                    self.place = Place::Dot;
                    at += 1;
                }
                (Place::Dot, b'\r') => {
                    self.place = Place::DotCr;
                    at += 1;
                }
                (Place::DotCr, b'\n') => return Progress::Ended(at + 1),
                (Place::DotCr, _) => {
                    keep(b"\r");
                    self.place = Place::Cr;
                }
                (Place::Cr, b'\n') => {
                    keep(b"\n");
                    self.place = Place::LineStart;
                    at += 1;
                }
                (Place::LineStart | Place::Dot | Place::Cr, _) => self.place = Place::Text,
            }
        }
        Progress::More
    }

    /// Keeps everything up to the next line that opens with a dot; returns where it stands then.
    fn text(&mut self, piece: &[u8], from: usize, keep: &mut impl FnMut(&[u8])) -> usize {
        let rest = piece.get(from..).unwrap_or_default();
        if let Some(found) = memmem::find(rest, b"\r\n.") {
            keep(rest.get(..found + 2).unwrap_or_default());
            self.place = Place::Dot;
            return from + found + 3;
        }
        keep(rest);
        self.place = match rest {
            [.., b'\r', b'\n'] => Place::LineStart,
            [.., b'\r'] => Place::Cr,
            _ => Place::Text,
        };
        piece.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Content and the octets after the end; `None` where it does not end.
    fn read(pieces: &[&[u8]]) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut reader, mut content) = (DataReader::new(), Vec::new());
        for (n, piece) in pieces.iter().enumerate() {
            let before = content.len();
            let progress = reader.read(piece, |octets| content.extend_from_slice(octets));
            assert!(content.len() - before <= piece.len() + 1, "no more than one octet is held back");
            if let Progress::Ended(at) = progress {
                let rest = [&piece[at..], &pieces[n + 1..].concat()].concat();
                return (content, Some(rest));
            }
        }
        (content, None)
    }

    #[test]
    fn a_message_ends_where_it_should_and_loses_only_added_dots() {
        for (sent, content, rest) in [
            (&b".\r\n"[..], &b""[..], Some(&b""[..])),
            (b"\r\n.\r\n", b"\r\n", Some(b"")),
            (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", Some(b"QUIT\r\n")),
            (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n", Some(b"")),
            (b"..a\r\n.\r\n", b".a\r\n", Some(b"")),
            (b".a\r\n.\r\n", b"a\r\n", Some(b"")),
            (b"...\r\n.\r\n", b"..\r\n", Some(b"")),
            (b"a.\r\n.\r\n", b"a.\r\n", Some(b"")),
            (b".\r\r\n.\r\n", b"\r\r\n", Some(b"")),
            (b"\0\xff\r\n.\r\n", b"\0\xff\r\n", Some(b"")),
            (b"a\r\n.\r", b"a\r\n", None),
            (b"a", b"a", None),
        ] {
            assert_eq!(read(&[sent]), (content.to_vec(), rest.map(<[u8]>::to_vec)), "{sent:?}");
        }
    }

    /// Ends that are none, in the middle of a message and right after 354.
    #[test]
    fn what_looks_like_the_end_is_content() {
        let alike: [&[u8]; 18] = [
            b"\n.\n",
            b"\n.\r\n",
            b"\r.\r",
            b"\r.\r\n",
            b"\r\n.\n",
            b"\r\n.\r",
            b"\r\n.\r\r\n",
            b"\r.\n",
            b"\n.\r",
            b"\n\n.\r\n",
            b"\n\r.\r\n",
            b"\r\r.\r\n",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
            b"\r\n. \r\n",
            b"\r\n .\r\n",
            b"\r\n\n.\r\n",
            b"\r\n\r.\r\n",
        ];
        for end in alike {
            let sent = [b"a", end, b"MAIL FROM:<x@example.org>\r\n.\r\n"].concat();
            let (content, rest) = read(&[&sent]);
            assert_eq!(rest, Some(Vec::new()), "{end:?}");
            assert!(content.ends_with(b"MAIL FROM:<x@example.org>\r\n"), "{end:?}");
        }
        for start in [&b".\n"[..], b".\r", b"\n.\r\n", b"\r.\r\n", b".\r\r\n"] {
            let sent = [start, b"MAIL FROM:<x@example.org>\r\n.\r\n"].concat();
            let (content, rest) = read(&[&sent]);
            assert_eq!(rest, Some(Vec::new()), "{start:?}");
            assert!(content.ends_with(b"MAIL FROM:<x@example.org>\r\n"), "{start:?}");
        }
    }

    /// What a careful reader does octet by octet: lines end in CRLF, a line of one dot ends all, one dot is taken away.
    fn plain(octets: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut content, mut from) = (Vec::new(), 0);
        while let Some(found) = memmem::find(&octets[from..], b"\r\n") {
            let line = &octets[from..from + found + 2];
            from += line.len();
            if line == b".\r\n" {
                return (content, Some(octets[from..].to_vec()));
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        (content, None)
    }

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![3 => Just(b'\r'), 3 => Just(b'\n'), 3 => Just(b'.'), 1 => any::<u8>()], 0..120)
    }

    proptest! {
        #[test]
        fn packets_do_not_matter(octets in octets(), size in 1_usize..9) {
            let pieces: Vec<&[u8]> = octets.chunks(size).collect();
            prop_assert_eq!(read(&pieces), read(&[&octets]));
        }

        #[test]
        fn the_fast_way_and_the_plain_way_agree(octets in octets()) {
            let sent = [octets, b"\r\n.\r\n".to_vec()].concat();
            prop_assert_eq!(read(&[&sent]), plain(&sent));
        }
    }
}
