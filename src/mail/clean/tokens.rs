//! HTML cut into tags and text, in one pass and linear time.
//!
//! Where this reading differs from a browser's does not matter for safety: only what is understood here is written
//! out again, in a form that all read alike.

/// Attributes read of one tag; the rest is dropped.
const MAX_ATTRIBUTES: usize = 40;

/// A piece of HTML. Names are as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text, character references not decoded.
    Text(&'a str),
    /// A start tag and its attributes; values without quotes, character references not decoded.
    Start(&'a str, Vec<(&'a str, &'a str)>),
    /// An end tag.
    End(&'a str),
}

/// Elements whose content is not markup; it is dropped along with them.
const RAW_TEXT: &[&str] = &["script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes"];

/// Cuts HTML into tokens; comments, declarations and the content of raw text elements are passed over.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
    plain: bool,
}

impl<'a> Tokens<'a> {
    /// Starts at the beginning of a document or fragment.
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html, plain: false }
    }

    /// Takes so many octets, which end at a character boundary.
    fn take(&mut self, octets: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(octets).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Passes over everything up to and including a mark; to the end where it is missing.
    fn skip_past(&mut self, mark: &str) {
        let end = memchr::memmem::find(self.rest.as_bytes(), mark.as_bytes()).map_or(self.rest.len(), |at| at + mark.len());
        self.take(end);
    }

    fn text(&mut self) -> Token<'a> {
        // A `<` that begins nothing is text.
        let from = usize::from(self.rest.starts_with('<'));
        let end = self.rest.as_bytes().get(from..).and_then(|rest| memchr::memchr(b'<', rest));
        Token::Text(self.take(end.map_or(self.rest.len(), |at| at + from)))
    }

    fn comment(&mut self) {
        self.take("<!--".len());
        // `<!-->` and `<!--->` are whole comments.
        if self.rest.starts_with('>') || self.rest.starts_with("->") {
            return self.skip_past(">");
        }
        let rest = self.rest.as_bytes();
        let end = memchr::memmem::find_iter(rest, b"--").find_map(|at| match rest.get(at + 2..) {
            Some([b'>', ..]) => Some(at + 3),
            // `--->` ends a comment too; the search does not overlap.
            Some([b'!' | b'-', b'>', ..]) => Some(at + 4),
            _ => None,
        });
        self.take(end.unwrap_or(rest.len()));
    }

    /// The name of a tag, which the text begins with.
    fn name(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>').unwrap_or(self.rest.len());
        self.take(end)
    }

    /// The attributes up to the end of the tag; none where the tag does not end.
    fn attributes(&mut self) -> Option<Vec<(&'a str, &'a str)>> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if self.rest.is_empty() {
                return None;
            }
            if self.rest.starts_with('>') {
                self.take(1);
                return Some(found);
            }
            // An equals sign at this place is part of the name.
            let skip = usize::from(self.rest.starts_with('='));
            let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=');
            let end = self.rest.get(skip..).and_then(|rest| rest.find(is_end)).map_or(self.rest.len(), |at| at + skip);
            let name = self.take(end);
            let value = self.value()?;
            if found.len() < MAX_ATTRIBUTES && !found.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                found.push((name, value));
            }
        }
    }

    fn value(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_ascii_start();
        let Some(rest) = rest.strip_prefix('=') else { return Some("") };
        self.rest = rest.trim_ascii_start();
        for quote in ['"', '\''] {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                let (value, rest) = rest.split_once(quote)?;
                self.rest = rest;
                return Some(value);
            }
        }
        let end = self.rest.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(self.rest.len());
        Some(self.take(end))
    }

    /// Passes over the content of a raw text element, to its end tag.
    fn skip_raw(&mut self, name: &str) {
        let bytes = self.rest.as_bytes();
        let is_end = |&at: &usize| {
            let after = at + 2 + name.len();
            bytes.get(at + 2..after).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
                && bytes.get(after).is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
        };
        let end = memchr::memmem::find_iter(bytes, b"</").find(is_end).unwrap_or(bytes.len());
        self.take(end);
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let bytes = self.rest.as_bytes();
            match bytes {
                [] => return None,
                _ if self.plain => return Some(Token::Text(self.take(bytes.len()))),
                [b'<', b'!', b'-', b'-', ..] => self.comment(),
                [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => {
                    self.take(2);
                    let name = self.name();
                    self.attributes()?;
                    return Some(Token::End(name));
                }
                // A bogus comment.
                [b'<', b'!' | b'?', ..] | [b'<', b'/', _, ..] => self.skip_past(">"),
                [b'<', letter, ..] if letter.is_ascii_alphabetic() => {
                    self.take(1);
                    let name = self.name();
                    let attributes = self.attributes()?;
                    if let Some(raw) = RAW_TEXT.iter().find(|raw| raw.eq_ignore_ascii_case(name)) {
                        self.skip_raw(raw);
                    }
                    self.plain = name.eq_ignore_ascii_case("plaintext");
                    return Some(Token::Start(name, attributes));
                }
                _ => return Some(self.text()),
            }
        }
    }
}
