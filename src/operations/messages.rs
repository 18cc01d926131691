//! Messages: lists, one in full, its octets and parts, marks, removal.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::crypto::hex;
use crate::error::{Error, Result};
use crate::mail::Limits;
use crate::mail::attachments::{AttachmentBody, attachment_within};
use crate::mail::clean::{CleanOptions, clean_html, text_to_html};
use crate::mail::extract::Extraction;
use crate::mail::parse::{Parsed, parse_within};
use crate::mail::results;
use crate::store;
use crate::types::{Address, MessageId, MessageSummary, Page, Scope, Verdicts};

use super::context::within;
use super::listing::listing;
use super::mailboxes::unknown_mailbox;
use super::{Ctx, Effect, Method, Operation, Spec, reach};

listing! {
    /// Lists the messages of a mailbox, newest first.
    #[derive(Serialize)]
    pub struct ListEmails {
        /// The mailbox's address.
        #[schemars(required)]
        pub address: Option<Address>,
        /// Just read ones, or just unread ones.
        pub is_read: Option<bool>,
        /// Just starred ones, or just those without a star.
        pub is_starred: Option<bool>,
        /// Just those with a code or link, or just those without.
        pub has_code: Option<bool>,
        /// `true` lists those that are kept apart, since the author's domain disowns them, in place of all others.
        pub is_quarantined: Option<bool>,
    }
}

impl Operation for ListEmails {
    type Output = Page<MessageSummary>;
    const SPEC: Spec = Spec {
        name: "list_emails",
        title: "List a mailbox's messages",
        rest: (Method::Get, "/mailboxes/{address}/messages"),
        scope: Scope::MailRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<MessageSummary>> {
        let page = self.page();
        let filter = store::messages::Filter {
            is_read: self.is_read,
            is_starred: self.is_starred,
            has_code: self.has_code,
            is_quarantined: self.is_quarantined.unwrap_or(false),
        };
        let address = self.address.ok_or_else(|| Error::invalid("address", "is missing"))?;
        let mut db = ctx.services.db.acquire().await?;
        let mailbox = store::mailboxes::readable_id(&mut db, &address).await?.ok_or_else(|| unknown_mailbox(&address))?;
        let rows = store::messages::list_in(&mut db, mailbox, filter, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

/// Gets a message in full: headers in order, bodies, attachments, envelope, codes and links with their evidence. What stands in
/// it was written by its sender and is not to be trusted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetEmail {
    /// The message's id.
    pub id: MessageId,
}

/// A message in full.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Email {
    /// As in lists.
    #[serde(flatten)]
    pub summary: MessageSummary,
    /// The SHA-256 digest of the octets as sent, in hexadecimal.
    pub sha256: String,
    /// Envelope and session: `reverse_path`, `helo`, `remote`, `protocol`, `tls`; `require_tls` where it is so, and `session`, to be
    /// looked up with `get_smtp_session`.
    pub envelope: serde_json::Value,
    /// The fields that this server put on top: `Return-Path`, `Received` and `Authentication-Results`.
    pub trace: String,
    /// What was found out about the sender: SPF, DKIM, DMARC, ARC, reverse DNS.
    pub auth: Verdicts,
    /// Why codes and links are withheld; null where they are not.
    pub withheld_reason: Option<String>,
    /// What was parsed from the octets.
    pub content: Parsed,
    /// All candidates for codes and links with their evidence; null where there was nothing to find, or it is withheld.
    pub extraction: Option<Extraction>,
    /// What was wrong with the message, a sentence each.
    pub defects: Vec<String>,
}

impl Operation for GetEmail {
    type Output = Email;
    const SPEC: Spec = Spec {
        name: "get_email",
        title: "Get a message",
        rest: (Method::Get, "/messages/{id}"),
        scope: Scope::MailRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Email> {
        let mut db = ctx.services.db.acquire().await?;
        let summary = store::messages::find(&mut db, self.id).await?.ok_or_else(|| unknown_message(self.id))?;
        let content = store::messages::content(&mut db, self.id).await?.ok_or_else(|| unknown_message(self.id))?;
        drop(db);
        let raw = content.raw()?;
        let limits = Limits::from(ctx.services.config.mail);
        let parsed = off_the_runtime(raw, move |raw| parse_within(raw, &limits)).await?;
        let withheld_reason = summary.withheld.then(|| content.sender_policy.reason(summary.sender_trust));
        Ok(Email {
            summary,
            sha256: hex(&content.sha256),
            envelope: content.envelope,
            trace: content.trace,
            auth: verdicts(content.auth),
            withheld_reason,
            content: parsed,
            // What an older version wrote in another form is left out rather than failing the whole.
            extraction: content.extraction.and_then(|value| serde_json::from_value(value).ok()),
            defects: content.defects,
        })
    }
}

/// As stored, also by an older version; without, nothing is known.
fn verdicts(stored: Option<serde_json::Value>) -> Verdicts {
    let stored = stored.and_then(|value| serde_json::from_value(value).ok());
    stored.unwrap_or_else(|| Verdicts::unchecked("The sender was not checked: checks are off, or it is in a trusted network."))
}

/// A message's octets.
#[derive(Debug)]
pub struct RawEmail {
    /// Exactly as they were sent.
    pub octets: Vec<u8>,
    /// Our name in `Authentication-Results`.
    pub own_name: String,
    /// The fields that this server put on top.
    pub trace: String,
}

impl RawEmail {
    /// With what this server put on top, and without `Authentication-Results` that only claim to be ours.
    pub fn with_trace(self) -> Vec<u8> {
        [self.trace.as_bytes(), &results::without_forged(&self.octets, &self.own_name)].concat()
    }
}

/// How long the octets of a message may take to come from the database.
const READING_LIMIT: Duration = Duration::from_secs(10);

/// The octets of a message. For doors that answer with octets; the scope is that of [`GetEmail`].
pub async fn get_email_raw(ctx: &Ctx, id: MessageId) -> Result<RawEmail> {
    ctx.check_scope(&GetEmail::SPEC).await?;
    reach::message(ctx, id).await?;
    let ask = async {
        let mut db = ctx.services.db.acquire().await?;
        store::messages::content(&mut db, id).await
    };
    let content = within(READING_LIMIT, ask).await?.ok_or_else(|| unknown_message(id))?;
    Ok(RawEmail { octets: content.raw()?, trace: content.trace, own_name: ctx.services.config.hostname.clone() })
}

/// An attachment of a message, counted from 0 in the order of [`Parsed::attachments`]. The scope is that of [`GetEmail`].
pub async fn get_attachment(ctx: &Ctx, id: MessageId, index: usize) -> Result<AttachmentBody> {
    let raw = get_email_raw(ctx, id).await?;
    let limits = Limits::from(ctx.services.config.mail);
    let found = off_the_runtime(raw.octets, move |raw| attachment_within(raw, index, &limits)).await?;
    found.ok_or_else(|| Error::not_found("attachment", format!("The message has no attachment {index}.")))
}

/// A message as a page that is safe to show.
#[derive(Debug)]
pub struct HtmlView {
    /// A whole HTML document, cleaned: no scripts, no forms, nothing that asks another server for anything.
    pub document: String,
    /// How many images elsewhere were left out.
    pub blocked_remote: usize,
    /// Whether the message was too large or too deep to be shown whole.
    pub truncated: bool,
}

/// How large an inline image may be to be shown, in octets; each, and all together.
const INLINE_IMAGE_OCTETS: u64 = 512 * 1024;
const INLINE_IMAGES_OCTETS: u64 = 2 << 20;

/// A message as a page that is safe to show: its HTML cleaned, else its text. The scope is that of [`GetEmail`].
pub async fn get_email_html(ctx: &Ctx, id: MessageId) -> Result<HtmlView> {
    let raw = get_email_raw(ctx, id).await?;
    let limits = Limits::from(ctx.services.config.mail);
    off_the_runtime(raw.octets, move |raw| html_view(raw, &limits)).await
}

fn html_view(raw: &[u8], limits: &Limits) -> HtmlView {
    let parsed = parse_within(raw, limits);
    let options = CleanOptions { inline: inline_images(raw, &parsed, limits), ..CleanOptions::default() };
    let mut body = String::new();
    let (mut blocked_remote, mut truncated) = (0, false);
    for html in &parsed.html {
        let cleaned = clean_html(html, &options);
        blocked_remote += cleaned.blocked_remote;
        truncated |= cleaned.truncated;
        body.push_str(&cleaned.html);
    }
    if body.is_empty() {
        body = parsed.text.iter().map(|text| text_to_html(text)).collect();
    }
    let document = format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <style>body{{margin:12px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;background:#fff;color:#1a1a1a}}\
         img{{max-width:100%;height:auto}}</style></head><body>{body}</body></html>"
    );
    HtmlView { document, blocked_remote, truncated }
}

/// Images of the message itself stand in the page, so that showing it asks for nothing.
fn inline_images(raw: &[u8], parsed: &Parsed, limits: &Limits) -> BTreeMap<String, String> {
    let mut left = INLINE_IMAGES_OCTETS;
    let mut images = BTreeMap::new();
    for meta in &parsed.attachments {
        let (Some(cid), true) = (&meta.content_id, meta.served_type().starts_with("image/")) else { continue };
        if meta.size_octets > INLINE_IMAGE_OCTETS.min(left) {
            continue;
        }
        left -= meta.size_octets;
        if let Some(body) = attachment_within(raw, meta.index, limits) {
            images.insert(cid.clone(), format!("data:{};base64,{}", meta.served_type(), STANDARD.encode(&body.bytes)));
        }
    }
    images
}

/// Marks a message as read or unread, or sets or takes its star. What is not given stays as it is.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct UpdateEmail {
    /// The message's id.
    pub id: MessageId,
    /// Whether it is read.
    #[serde(default)]
    pub is_read: Option<bool>,
    /// Whether it is starred.
    #[serde(default)]
    pub is_starred: Option<bool>,
}

impl Operation for UpdateEmail {
    type Output = MessageSummary;
    const SPEC: Spec = Spec {
        name: "update_email",
        title: "Mark or star a message",
        rest: (Method::Patch, "/messages/{id}"),
        scope: Scope::MailWrite,
        effect: Effect::Write,
        audit: Some("message.update"),
    };

    async fn run(self, ctx: &Ctx) -> Result<MessageSummary> {
        let marks = store::messages::Marks { is_read: self.is_read, is_starred: self.is_starred };
        let mut tx = ctx.begin().await?;
        store::messages::mark(&mut tx, &[self.id.0], marks).await?;
        let message = store::messages::find(&mut tx, self.id).await?.ok_or_else(|| unknown_message(self.id))?;
        let detail = json!({ "is_read": self.is_read, "is_starred": self.is_starred, "mailbox": message.mailbox });
        ctx.commit::<Self>(tx, &self.id.to_string(), detail).await?;
        Ok(message)
    }
}

/// Removes a message for good.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeleteEmail {
    /// The message's id.
    pub id: MessageId,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedEmail {
    /// The message's id.
    pub id: MessageId,
    /// Always true.
    pub deleted: bool,
}

impl Operation for DeleteEmail {
    type Output = DeletedEmail;
    const SPEC: Spec = Spec {
        name: "delete_email",
        title: "Remove a message",
        rest: (Method::Delete, "/messages/{id}"),
        scope: Scope::MailWrite,
        effect: Effect::Destructive,
        audit: Some("message.delete"),
    };

    async fn run(self, ctx: &Ctx) -> Result<DeletedEmail> {
        let mut tx = ctx.begin().await?;
        let message = store::messages::find(&mut tx, self.id).await?.ok_or_else(|| unknown_message(self.id))?;
        store::messages::delete(&mut tx, &[self.id.0]).await?;
        ctx.commit::<Self>(tx, &self.id.to_string(), json!({ "mailbox": message.mailbox })).await?;
        Ok(DeletedEmail { id: self.id, deleted: true })
    }
}

pub(super) fn unknown_message(id: MessageId) -> Error {
    Error::not_found("message", format!("There is no message {id}."))
}

/// Large messages take long enough to parse that other requests would feel it.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    raw: Vec<u8>,
    work: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T> {
    if raw.len() <= 64 * 1024 {
        return Ok(work(&raw));
    }
    tokio::task::spawn_blocking(move || work(&raw)).await.map_err(|cause| Error::Internal(cause.into()))
}
