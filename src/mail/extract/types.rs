//! What goes into an extraction and what comes out of it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;

use crate::mail::extract::rule::Rule;

/// One message, decoded: what the engine reads. Headers other than these and attachments play no part.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The subject, decoded (RFC 2047).
    pub subject: &'a str,
    /// The address of the author, `local@domain`, from the From field.
    pub from_address: Option<&'a str>,
    /// The display name of the author.
    pub from_name: Option<&'a str>,
    /// Each text/plain part of the body, decoded.
    pub text: &'a [&'a str],
    /// Each text/html part of the body, decoded to Unicode, as markup.
    pub html: &'a [&'a str],
    /// Rules of service templates that apply to the mailbox; mostly empty.
    pub rules: &'a [Rule],
}

/// What was found in a message. Lists are best first and hold at most [`super::MAX_CANDIDATES`] each.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Extraction {
    /// The verification code, where one candidate is good enough.
    pub code: Option<CodeCandidate>,
    /// The verification, sign-in, reset or invitation link, where one candidate is good enough.
    pub link: Option<LinkCandidate>,
    /// Everything that could be a code, best first, including what was too weak to be the answer.
    pub codes: Vec<CodeCandidate>,
    /// Links that say what they are for, best first, including those that were not the answer.
    pub links: Vec<LinkCandidate>,
    /// The version of the engine and its wording; a stored extraction of an older one may be made again.
    pub version: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
/// Single precision written as double shows digits that mean nothing.
fn three_decimals<S: serde::Serializer>(share: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*share) * 1000.0).round() / 1000.0)
}

/// Where in the message something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In the subject.
    Subject,
    /// In a text/plain part.
    Text,
    /// In a text/html part, as a person sees it.
    Html,
}

/// A place in the visible text of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// Which part of its source, from 0; always 0 for the subject.
    pub part: usize,
    /// Where it starts, in octets of the UTF-8 visible text (for HTML: of [`super::visible_text`]).
    pub start: usize,
    /// Where it ends, likewise, exclusive.
    pub end: usize,
}

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CodeKind {
    /// Typed once to sign in, prove an address, reset a password or authorise an action.
    Otp,
    /// Typed on another device to link it.
    Device,
    /// One of a set kept for emergencies.
    Recovery,
    /// A code by its form, but not a verification code: an order, a booking, a coupon.
    Other,
}

/// Something that could be a verification code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CodeCandidate {
    /// The code to type: ASCII digits without separators for digit codes; letters keep case and hyphens.
    pub value: String,
    /// The code as it was written, at most 64 characters.
    pub display: String,
    /// What it is for.
    pub kind: CodeKind,
    /// How sure the engine is, from 0 to 1: of answers given with 0.9, about nine in ten are right.
    #[serde(serialize_with = "three_decimals")]
    pub confidence: f32,
    /// Which part of the message it was found in.
    pub source: Source,
    /// The stable name of the rule that weighed most, for example `label_before`.
    pub rule: String,
    /// Where in the visible text of that part.
    pub span: Span,
    /// The evidence, in one sentence.
    pub reason: String,
    /// The words around it, at most 80 characters.
    pub context: String,
    /// How long the message says that it can be used, in seconds from its sending.
    pub expires_in_seconds: Option<u32>,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Proves an address or activates an account.
    Verify,
    /// Sets a new password.
    Reset,
    /// Signs in without a password.
    SignIn,
    /// Accepts an invitation.
    Invite,
    /// Stops a newsletter.
    Unsubscribe,
    /// Anything else.
    Other,
}

/// A link that could be what the message is for. It is never fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkCandidate {
    /// The address, exactly as the message has it (entities decoded), at most 2048 octets.
    pub url: String,
    /// What it is for.
    pub kind: LinkKind,
    /// What a person reads on it, at most 80 characters; empty for a bare address.
    pub text: String,
    /// The host, lower case; empty where there is none.
    pub host: String,
    /// Whether the host belongs to the same registered domain as the sender's address.
    pub host_matches_sender: bool,
    /// How sure the engine is, from 0 to 1.
    #[serde(serialize_with = "three_decimals")]
    pub confidence: f32,
    /// Which part of the message it was found in.
    pub source: Source,
    /// The stable name of the rule that weighed most, for example `anchor_verify`.
    pub rule: String,
    /// Where its text stands in the visible text of that part.
    pub span: Span,
    /// The evidence, in one sentence.
    pub reason: String,
}
