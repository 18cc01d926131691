//! Markup into tags and text, in one pass, as forgiving as a browser where it matters.

use memchr::memchr;
use memchr::memmem;

/// A piece of markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text with its entities still encoded.
    Text(&'a str),
    /// A start tag: its name as written and what stands after it, up to the `>`.
    Open(&'a str, &'a str),
    /// An end tag.
    Close(&'a str),
    /// What stands between `<style>` and `</style>`.
    Style(&'a str),
}

/// Reads tokens from markup. Scripts, comments and the like are passed over.
pub(super) struct Tokens<'a> {
    rest: &'a str,
    /// The element whose content is not markup, when its start tag was just read.
    raw: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(markup: &'a str) -> Self {
        Self { rest: markup, raw: None }
    }

    fn take(&mut self, octets: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(octets).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// The content of a raw element, up to its end tag (or the end, as browsers do).
    fn raw_content(&mut self, name: &str) -> &'a str {
        let bytes = self.rest.as_bytes();
        let closes =
            |at: &usize| bytes.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
        let end = memmem::find_iter(bytes, b"</").find(closes).unwrap_or(bytes.len());
        self.take(end)
    }

    /// The length of a tag that starts here, its `>` included; quoted values may hold one.
    fn tag_length(&self) -> usize {
        let mut quote = 0;
        let mut before = 0;
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                b'>' if quote == 0 => return at + 1,
                // A quote opens a value only after `=`; elsewhere it is a stray character.
                b'"' | b'\'' if quote == 0 && before == b'=' => quote = byte,
                _ if byte == quote => quote = 0,
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                before = byte;
            }
        }
        self.rest.len()
    }

    fn comment(&mut self) {
        if self.rest.starts_with("<!-->") || self.rest.starts_with("<!--->") {
            self.take(5);
            return;
        }
        let end = memmem::find(self.rest.as_bytes(), b"-->").map_or(self.rest.len(), |at| at + 3);
        self.take(end);
    }

    fn open(&mut self) -> Token<'a> {
        let length = self.tag_length();
        let tag = self.take(length);
        let inner = tag.get(1..).unwrap_or_default().trim_end_matches('>');
        let end = inner.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(inner.len());
        let (name, attributes) = inner.split_at_checked(end).unwrap_or((inner, ""));
        if is_raw(name) {
            self.raw = Some(name);
        }
        Token::Open(name, attributes)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            let content = self.raw_content(name);
            if name.eq_ignore_ascii_case("style") {
                return Some(Token::Style(content));
            }
        }
        loop {
            let bytes = self.rest.as_bytes();
            if bytes.is_empty() {
                return None;
            }
            let Some(at) = memchr(b'<', bytes) else { return Some(Token::Text(self.take(bytes.len()))) };
            if at > 0 {
                return Some(Token::Text(self.take(at)));
            }
            match (bytes.get(1), bytes.get(2)) {
                (Some(b'!'), _) if self.rest.starts_with("<!--") => self.comment(),
                (Some(b'!' | b'?'), _) => {
                    let end = memchr(b'>', bytes).map_or(bytes.len(), |at| at + 1);
                    self.take(end);
                }
                (Some(b'/'), Some(c)) if c.is_ascii_alphabetic() => {
                    let end = memchr(b'>', bytes).map_or(bytes.len(), |at| at + 1);
                    let tag = self.take(end).get(2..).unwrap_or_default();
                    let name = tag.split(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').next();
                    return Some(Token::Close(name.unwrap_or_default()));
                }
                (Some(c), _) if c.is_ascii_alphabetic() => return Some(self.open()),
                _ => return Some(Token::Text(self.take(1))),
            }
        }
    }
}

/// Elements whose content is no markup and is not shown.
fn is_raw(name: &str) -> bool {
    ["script", "style", "title", "textarea", "template", "iframe", "noembed", "noframes", "xmp"]
        .iter()
        .any(|raw| raw.eq_ignore_ascii_case(name))
}

/// The attributes of a start tag: name as written and value, entities still encoded.
pub(super) struct Attributes<'a>(pub(super) &'a str);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if text.is_empty() {
            return None;
        }
        let end = text.find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '/').unwrap_or(text.len());
        // A stray `=` is passed over so that each step moves on.
        let (name, rest) = text.split_at_checked(end.max(1)).unwrap_or((text, ""));
        let after = rest.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            self.0 = rest;
            return Some((name, ""));
        };
        let value = value.trim_start();
        let quote = value.bytes().next().filter(|b| matches!(b, b'"' | b'\''));
        let (value, rest) = match quote {
            Some(quote) => {
                let inner = value.get(1..).unwrap_or_default();
                let end = memchr(quote, inner.as_bytes()).unwrap_or(inner.len());
                (inner.get(..end).unwrap_or_default(), inner.get(end + 1..).unwrap_or_default())
            }
            None => {
                let end = value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len());
                value.split_at_checked(end).unwrap_or((value, ""))
            }
        };
        self.0 = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_tags_and_text() {
        let markup = "<!doctype html><!-- <b>no</b> --><p class='a>b'>1 < 2<br/></p><script>x</b></script><style>.a{}</style>";
        let tokens: Vec<_> = Tokens::new(markup).collect();
        assert_eq!(
            tokens,
            [
                Token::Open("p", " class='a>b'"),
                Token::Text("1 "),
                Token::Text("<"),
                Token::Text(" 2"),
                Token::Open("br", "/"),
                Token::Close("p"),
                Token::Open("script", ""),
                Token::Close("script"),
                Token::Open("style", ""),
                Token::Style(".a{}"),
                Token::Close("style"),
            ]
        );
    }

    #[test]
    fn attributes_are_read_with_and_without_quotes() {
        let found: Vec<_> = Attributes(" href=\"a b\" hidden width=3 = style='x:y' alt=").collect();
        assert_eq!(found, [("href", "a b"), ("hidden", ""), ("width", "3"), ("=", ""), ("style", "x:y"), ("alt", "")]);
    }
}
