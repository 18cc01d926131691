//! The lifetime that a message states: "expires in 10 minutes".

use crate::mail::extract::page::Page;
use crate::mail::extract::wording::Kind;

/// The lifetime of the code or link in seconds, where the text states one.
pub(super) fn lifetime(pages: &[Page]) -> Option<u32> {
    pages.iter().rev().find_map(of_page)
}

/// The first number with a unit of time that stands near wording of validity.
fn of_page(page: &Page) -> Option<u32> {
    let units = page.hits.iter().filter_map(|hit| Some((hit, unit(hit.kinds)?))).take(64);
    let mut fallback = None;
    for (hit, seconds) in units {
        let Some(number) = number_before(&page.folded.text, hit.start) else { continue };
        let Some(total) = number.checked_mul(seconds).filter(|total| (20..=60 * 86_400).contains(total)) else { continue };
        let near = page.hits_within(hit.start.saturating_sub(120), hit.end + 80);
        if near.iter().any(|other| other.kinds.has(Kind::Validity)) {
            return Some(total);
        }
        let spoken = near.iter().any(|other| other.kinds.has(Kind::Name) || other.kinds.has(Kind::Loose));
        if spoken && fallback.is_none() {
            fallback = Some(total);
        }
    }
    fallback
}

fn unit(kinds: crate::mail::extract::wording::Kinds) -> Option<u32> {
    let table = [(Kind::Seconds, 1), (Kind::Minutes, 60), (Kind::Hours, 3600), (Kind::Days, 86_400)];
    table.iter().find(|(kind, _)| kinds.has(*kind)).map(|(_, seconds)| *seconds)
}

/// The whole number right before an offset, at most one word away.
fn number_before(text: &str, at: usize) -> Option<u32> {
    let before = text.get(..at)?.trim_end_matches([' ', '-', '\n', '(', ')', '*']);
    let digits = before.bytes().rev().take(5).take_while(u8::is_ascii_digit).count();
    let number = before.get(before.len() - digits..)?.parse().ok()?;
    let decimal = before.get(..before.len() - digits).is_some_and(|t| t.ends_with(['.', ',', ':', '/']));
    (!decimal && number > 0).then_some(number)
}
