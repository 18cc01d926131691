//! The evidence for a token being the code, added up.

use std::borrow::Cow;

use crate::mail::extract::evidence;
use crate::mail::extract::evidence::Evidence;
use crate::mail::extract::mood::Mood;
use crate::mail::extract::page::Page;
use crate::mail::extract::token::Token;
use crate::mail::extract::weights::Feature;
use crate::mail::extract::weights::TABLE;

/// The sum of the evidence and its strongest pieces.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// Log-odds.
    pub(super) score: f32,
    pub(super) rule: &'static str,
    /// Pieces of the reason, strongest first.
    pub(super) reasons: Vec<Cow<'static, str>>,
    pub(super) recovery: bool,
    /// What the sum was made of, for fitting the weights.
    pub(super) evidence: Option<Evidence>,
}

/// Weighs the tokens of a page.
pub(super) fn weigh(page: &Page, tokens: &[Token], mood: &Mood) -> Vec<Verdict> {
    let mut found: Vec<Evidence> = tokens.iter().map(|token| evidence::collect(page, token, tokens, mood)).collect();
    evidence::compare(&mut found);
    found.iter().map(verdict).collect()
}

/// Weighs a token that is none of its page's own.
pub(super) fn weigh_one(page: &Page, token: &Token, mood: &Mood) -> Verdict {
    verdict(&evidence::collect(page, token, &[], mood))
}

fn verdict(evidence: &Evidence) -> Verdict {
    let mut pieces: Vec<(f32, &str, &str)> = Vec::new();
    let mut score = 0.0;
    for (value, (weight, rule, reason)) in evidence.0.iter().zip(TABLE) {
        let part = value * weight;
        score += part;
        if part.abs() >= 0.3 && !reason.is_empty() {
            pieces.push((part, rule, reason));
        }
    }
    pieces.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    let rule = pieces.iter().find(|(part, ..)| *part > 0.0).map_or("form", |(_, rule, _)| rule);
    let mut reasons: Vec<Cow<'static, str>> = Vec::new();
    for (_, _, reason) in pieces {
        if reasons.len() < 4 && !reasons.iter().any(|told| told == reason) {
            reasons.push(Cow::Borrowed(reason));
        }
    }
    Verdict { score, rule, reasons, recovery: evidence.get(Feature::RecoveryNear) > 0.6, evidence: Some(*evidence) }
}
