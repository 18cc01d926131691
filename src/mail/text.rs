//! Small rules for text that people read: one line, no control characters, bounded length.

/// Whether a character reorders the text around it (Unicode Bidi embeddings, overrides and isolates). Such characters
/// make a name or a subject read as something else; plain marks for right-to-left text are harmless.
pub(super) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text as one line: white space is a single space, control and reordering characters are gone.
pub(super) fn single_line(text: &str, max_chars: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max_chars * 4));
    let mut space = false;
    let mut count = 0;
    for c in text.chars() {
        if c.is_whitespace() {
            space = !line.is_empty();
        } else if !c.is_control() && !is_bidi_control(c) {
            if count + usize::from(space) >= max_chars {
                break;
            }
            if space {
                line.push(' ');
                count += 1;
                space = false;
            }
            line.push(c);
            count += 1;
        }
    }
    line
}

/// The first so many characters.
pub(super) fn cut(text: &str, max_chars: usize) -> &str {
    text.char_indices().nth(max_chars).map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}
