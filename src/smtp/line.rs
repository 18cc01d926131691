//! Command lines out of a stream of octets. Only CRLF ends a line (RFC 5321 section 2.3.8).

use bytes::{Buf as _, BytesMut};

/// What the next line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// It was put into the caller's buffer, without its CRLF.
    Whole,
    /// It is longer than the limit and was thrown away up to its end.
    TooLong,
}

/// Takes lines from a buffer. The result does not depend on how the octets were split into packets.
#[derive(Debug)]
pub(super) struct LineReader {
    /// The longest line in octets, with its CRLF.
    limit: usize,
    /// How many octets at the start of the buffer are known to hold no end of line.
    searched: usize,
    /// Inside a line that is too long already.
    discarding: bool,
}

impl LineReader {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, searched: 0, discarding: false }
    }

    /// Takes the next line, or `None` where more octets are needed. The buffer never keeps more than the limit of a line.
    pub(super) fn next(&mut self, buffer: &mut BytesMut, line: &mut Vec<u8>) -> Option<Line> {
        // The last octet searched may be the CR of an end that was cut in two.
        let from = self.searched.saturating_sub(1);
        let rest = buffer.get(from..).unwrap_or_default();
        let Some(at) = memchr::memmem::find(rest, b"\r\n").map(|at| from + at) else {
            self.keep_within_limit(buffer);
            self.searched = buffer.len();
            return None;
        };
        self.searched = 0;
        let too_long = std::mem::take(&mut self.discarding) || at + 2 > self.limit;
        line.clear();
        if !too_long {
            line.extend_from_slice(buffer.get(..at).unwrap_or_default());
        }
        buffer.advance(at + 2);
        Some(if too_long { Line::TooLong } else { Line::Whole })
    }

    fn keep_within_limit(&mut self, buffer: &mut BytesMut) {
        if self.discarding || buffer.len() >= self.limit {
            self.discarding = true;
            let half_an_end = buffer.last() == Some(&b'\r');
            buffer.clear();
            if half_an_end {
                buffer.extend_from_slice(b"\r");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(limit: usize, pieces: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        let (mut reader, mut buffer, mut line, mut all) = (LineReader::new(limit), BytesMut::new(), Vec::new(), Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(piece);
            while let Some(found) = reader.next(&mut buffer, &mut line) {
                all.push((found == Line::Whole).then(|| line.clone()));
            }
            assert!(buffer.len() < limit, "the buffer is bounded");
        }
        all
    }

    #[test]
    fn only_crlf_ends_a_line() {
        for (given, expected) in [
            (&b"NOOP\r\nQUIT\r\n"[..], vec![Some(&b"NOOP"[..]), Some(b"QUIT")]),
            (b"NOOP\nQUIT\r\n", vec![Some(b"NOOP\nQUIT")]),
            (b"NOOP\rQUIT\r\r\n", vec![Some(b"NOOP\rQUIT\r")]),
            (b"NOOP\n\r\n", vec![Some(b"NOOP\n")]),
            (b"\r\n", vec![Some(b"")]),
            (b"NOOP", vec![]),
            (b"NOOP\r", vec![]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|l| l.map(<[u8]>::to_vec)).collect();
            assert_eq!(lines(512, &[given]), expected, "{given:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line() {
        let long = [vec![b'x'; 100_000], b"\r\nNOOP\r\n".to_vec()].concat();
        assert_eq!(lines(512, &[&long]), [None, Some(b"NOOP".to_vec())]);
        let pieces: Vec<&[u8]> = long.chunks(7).collect();
        assert_eq!(lines(512, &pieces), [None, Some(b"NOOP".to_vec())]);
        let exact = [vec![b'x'; 510], b"\r\n".to_vec()].concat();
        assert_eq!(lines(512, &[&exact]).iter().flatten().count(), 1);
        let above = [vec![b'x'; 511], b"\r\n".to_vec()].concat();
        assert_eq!(lines(512, &[&above]), [None]);
    }

    proptest! {
        #[test]
        fn packets_do_not_matter(
            octets in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'a')], 0..200),
            cuts in proptest::collection::vec(0_usize..200, 0..20),
        ) {
            let whole = lines_of_any(&octets, &[]);
            prop_assert_eq!(lines_of_any(&octets, &cuts), whole);
        }
    }

    fn lines_of_any(octets: &[u8], cuts: &[usize]) -> Vec<Option<Vec<u8>>> {
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (octets.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut pieces, mut from) = (Vec::new(), 0);
        for cut in cuts {
            pieces.push(&octets[from..cut]);
            from = cut;
        }
        pieces.push(&octets[from..]);
        lines(16, &pieces)
    }
}
