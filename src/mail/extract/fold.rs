//! One spelling for all: digits of every script as ASCII, lower case, no accents, no invisible characters.
//!
//! Wording and candidates are looked for in the folded text; offsets lead back to the text as it was.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// A text in folded spelling, with the way back.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// The folded text.
    pub(super) text: String,
    /// Where the distance between the two texts changes: (offset folded, offset original).
    points: Vec<(usize, usize)>,
}

impl Folded {
    /// Folds a text.
    pub(super) fn new(original: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(original.len()), points: vec![(0, 0)] };
        let bytes = original.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let run = bytes[at..].iter().position(|b| !b.is_ascii() || *b == b'\r').unwrap_or(bytes.len() - at);
            if run > 0 {
                folded.mark(at);
                folded.text.push_str(&original[at..at + run]);
                at += run;
                continue;
            }
            let Some(c) = original[at..].chars().next() else { break };
            if let Some(to) = fold_char(c) {
                folded.mark(at);
                folded.text.push(to);
            }
            at += c.len_utf8();
        }
        folded.mark(original.len());
        folded.text.make_ascii_lowercase();
        folded
    }

    /// The offset in the original of an offset in the folded text (that of a character's start).
    pub(super) fn original(&self, folded: usize) -> usize {
        let after = self.points.partition_point(|(at, _)| *at <= folded);
        self.points.get(after.saturating_sub(1)).map_or(folded, |(at, original)| original + (folded - at))
    }

    /// The end in the original of what ends at an offset in the folded text.
    pub(super) fn original_end(&self, folded: usize, original_text: &str) -> usize {
        let Some((last, _)) = self.text.get(..folded).and_then(|t| t.char_indices().next_back()) else { return 0 };
        let start = self.original(last);
        original_text.get(start..).and_then(|t| t.chars().next()).map_or(start, |c| start + c.len_utf8())
    }

    /// The offset in the folded text of an offset in the original.
    pub(super) fn folded(&self, original: usize) -> usize {
        let after = self.points.partition_point(|(_, at)| *at <= original);
        let next = self.points.get(after).map_or(self.text.len(), |(at, _)| *at);
        self.points.get(after.saturating_sub(1)).map_or(original, |(at, from)| (at + (original - from)).min(next))
    }

    fn mark(&mut self, original: usize) {
        let at = self.text.len();
        let (last, from) = self.points.last().copied().unwrap_or((0, 0));
        if original.wrapping_sub(from) != at - last {
            self.points.push((at, original));
        }
    }
}

/// A phrase in folded spelling, for the wording table.
pub(super) fn fold(text: &str) -> String {
    Folded::new(&text.nfc().collect::<String>()).text
}

/// The folded form of a character; `None` for one that nobody sees.
pub(super) fn fold_char(c: char) -> Option<char> {
    if c.is_ascii() {
        return (c != '\r').then_some(c.to_ascii_lowercase());
    }
    if is_invisible(c) {
        return None;
    }
    if let Some(digit) = digit(c) {
        return Some(digit);
    }
    Some(match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        // Of the full-width forms the comma and the full stop stay: they part numbers, they do not belong to them.
        '\u{ff0c}' | '\u{ff0e}' => c,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).map_or(c, |c| c.to_ascii_lowercase()),
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{2bc}' | '\u{60}' | '\u{b4}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' | '\u{2033}' => '"',
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ة' | 'ۀ' => 'ه',
        'ς' => 'σ',
        'ё' | 'Ё' => 'е',
        'ß' => 's',
        'đ' | 'Đ' => 'd',
        'ı' | 'İ' => 'i',
        'ł' | 'Ł' => 'l',
        'æ' | 'Æ' => 'a',
        'œ' | 'Œ' | 'ø' | 'Ø' => 'o',
        '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{4ff}' | '\u{1e00}'..='\u{1fff}' => TABLE.of(c),
        _ => c,
    })
}

/// The digit that a character stands for, in ASCII: any script's decimal digits, full-width, enclosed, mathematical.
pub(super) fn digit(c: char) -> Option<char> {
    const ZEROS: [u32; 31] = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040,
        0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa9d0, 0xff10,
    ];
    let code = u32::from(c);
    if code < 0x660 {
        return c.is_ascii_digit().then_some(c);
    }
    let value = match code {
        0x1d7ce..=0x1d7ff => (code - 0x1d7ce) % 10,
        0x2460..=0x2468 => code - 0x2460 + 1, // ① to ⑨
        0x2776..=0x277e => code - 0x2776 + 1, // ❶ to ❾
        0x24ea => 0,
        _ => {
            let zero = ZEROS.get(ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?)?;
            code - zero
        }
    };
    char::from_digit(value, 10)
}

/// Characters that take no room: zero-width, marks of direction, soft hyphen, joiners, combining accents, keycaps.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{640}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{20e3}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}'
        | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'..='\u{5c2}' | '\u{e0000}'..='\u{e007f}')
}

/// Lower case without accents for the alphabets of Europe, worked out once.
struct Table(Vec<char>);
static TABLE: LazyLock<Table> = LazyLock::new(|| Table((0..0x2000).map(plain).collect()));

impl Table {
    fn of(&self, c: char) -> char {
        usize::try_from(u32::from(c)).ok().and_then(|at| self.0.get(at)).copied().unwrap_or(c)
    }
}

fn plain(code: u32) -> char {
    let c = char::from_u32(code).unwrap_or(' ');
    let lower = c.to_lowercase().next().unwrap_or(c);
    std::iter::once(lower).nfd().next().unwrap_or(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_knows_the_worlds_digits_and_drops_what_nobody_sees() {
        let table = [
            ("４８２９１３", "482913"),
            ("٤٨٢٩١٣", "482913"),
            ("۴۸۲۹۱۳", "482913"),
            ("४८२९१३", "482913"),
            ("๔๘๒๙๑๓", "482913"),
            ("৪৮২৯১৩", "482913"),
            ("4\u{200b}8\u{ad}2", "482"),
            ("Código", "codigo"),
            ("BESTÄTIGUNG", "bestatigung"),
            ("Κωδικός", "κωδικοσ"),
            ("4️⃣8️⃣", "48"),
            ("İPTAL ışık", "iptal isik"),
            ("482–913", "482-913"),
        ];
        for (given, expected) in table {
            assert_eq!(Folded::new(given).text, expected);
        }
    }

    #[test]
    fn offsets_lead_back_to_the_original() {
        let original = "Código\u{200b}: ４８２９ é";
        let folded = Folded::new(original);
        let at = folded.text.find("4829").unwrap();
        let (start, end) = (folded.original(at), folded.original_end(at + 4, original));
        assert_eq!(&original[start..end], "４８２９");
        assert_eq!(folded.folded(start), at);
    }
}
