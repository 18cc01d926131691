//! Plain text as HTML.

use super::links;

/// Characters that end a URL in running text.
fn ends_url(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '\u{3000}'..='\u{3003}' | '「' | '」' | '“' | '”' | '，' | '）')
}

/// Writes plain text as HTML: escaped, line breaks kept, http and https addresses made links. The result is safe as it
/// is, and [`super::clean_html`] leaves it as it is.
pub fn text_to_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some((at, url)) = next_url(rest) {
        escape(rest.get(..at).unwrap_or_default(), &mut out);
        let href = links::target(url).unwrap_or_default();
        out.push_str("<a href=\"");
        escape(&href, &mut out);
        out.push_str("\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">");
        escape(url, &mut out);
        out.push_str("</a>");
        rest = rest.get(at + url.len()..).unwrap_or_default();
    }
    escape(rest, &mut out);
    out
}

/// The first URL in a text, and where it begins.
fn next_url(text: &str) -> Option<(usize, &str)> {
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(text.as_bytes().get(from..)?, b"://")?;
        from = at + 3;
        let Some(start) = scheme_start(text.get(..at)?) else { continue };
        let tail = text.get(start..)?;
        let length = tail.find(ends_url).unwrap_or(tail.len());
        let url = trimmed(tail.get(..length)?);
        if url.len() > from - start && links::target(url).is_some() {
            return Some((start, url));
        }
        // What is no URL as a whole is not searched for smaller ones: that would take quadratic time.
        from = start + length;
    }
}

/// Where the scheme begins that a text ends with, if it is http or https and no part of a longer word.
fn scheme_start(text: &str) -> Option<usize> {
    ["https", "http"].into_iter().find_map(|scheme| {
        let start = text.len().checked_sub(scheme.len())?;
        let before = text.get(..start)?.chars().next_back();
        let found = text.get(start..)?.eq_ignore_ascii_case(scheme) && !before.is_some_and(|c| c.is_ascii_alphanumeric());
        found.then_some(start)
    })
}

/// Without the punctuation of the sentence around it; a bracket is kept where its partner is part of the URL.
fn trimmed(url: &str) -> &str {
    let count = |wanted: char| url.chars().filter(|&c| c == wanted).count();
    let mut surplus = [count(')').saturating_sub(count('(')), count(']').saturating_sub(count('['))];
    let [round, square] = &mut surplus;
    url.trim_end_matches(|c| match c {
        ')' if *round > 0 => {
            *round -= 1;
            true
        }
        ']' if *square > 0 => {
            *square -= 1;
            true
        }
        c => matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '。' | '、' | '；' | '：' | '！' | '？'),
    })
}

fn escape(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    let mut after_space = true;
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' if chars.peek() == Some(&'\n') => continue,
            '\r' | '\n' => out.push_str("<br>"),
            // A run of spaces, which HTML would make one.
            ' ' if after_space => out.push_str("&nbsp;"),
            '\t' => out.push_str("&nbsp;&nbsp;&nbsp; "),
            c if c.is_control() => continue,
            c => out.push(c),
        }
        after_space = matches!(c, ' ' | '\n' | '\r' | '\t');
    }
}
