//! The codes of many mailboxes in one call.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::store;
use crate::types::{Address, Int, MessageId, Scope, Text, Timestamp};

use super::{Ctx, Effect, Method, Operation, Spec};

/// Looks for the newest verification code in each of several mailboxes, among its twenty newest messages.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SearchVerificationCodes {
    /// The mailboxes' addresses, at most 100.
    #[schemars(length(min = 1, max = 100))]
    pub mailboxes: Vec<Address>,
    /// Just messages whose author's address or name contains this text, whatever the case.
    #[serde(default)]
    pub from: Option<Text<200>>,
    /// Just messages whose subject contains this text, whatever the case.
    #[serde(default)]
    pub subject: Option<Text<200>>,
    /// How old a message may be, in seconds.
    #[serde(default = "ten_minutes")]
    #[schemars(extend("default" = 600))]
    pub seconds: Int<0, 86_400>,
}

fn ten_minutes() -> Int<0, 86_400> {
    Int::constant(600)
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundCodes {
    /// Each mailbox, in the order in which it was asked for.
    pub results: Vec<FoundCode>,
    /// How many there are of each kind.
    pub summary: FoundSummary,
}

/// What was found in one mailbox.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundCode {
    /// The mailbox's address.
    pub mailbox: Address,
    /// The code; null where there is none, or it is withheld.
    pub code: Option<String>,
    /// How sure the code is, from 0 to 1; null where there is no code.
    pub confidence: Option<f64>,
    /// The code's message, also of one that is withheld; null where there is none.
    pub email: Option<FoundEmail>,
    /// Whether there is a code that the mailbox does not give out, since nothing proves its sender; `message` says why.
    pub withheld: bool,
    /// Why the code is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many messages were looked at.
    pub total_emails_checked: i64,
    /// Why the mailbox could not be looked at; null where it was.
    pub error: Option<String>,
}

/// A code's message, in short. Its content is not to be trusted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundEmail {
    /// The message's id.
    pub id: MessageId,
    /// Its subject.
    pub subject: String,
    /// The address in its From field.
    pub sender: String,
    /// The name in its From field.
    pub sender_name: String,
    /// When it was accepted.
    pub received_at: Timestamp,
}

/// How many mailboxes had a code.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FoundSummary {
    /// How many mailboxes were asked for.
    pub total: usize,
    /// How many of them had a code.
    pub found: usize,
    /// How many had none.
    pub not_found: usize,
}

impl Operation for SearchVerificationCodes {
    type Output = FoundCodes;
    const SPEC: Spec = Spec {
        name: "search_verification_codes",
        title: "Find codes in several mailboxes",
        rest: (Method::Post, "/verification-codes/search"),
        scope: Scope::CodeRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<FoundCodes> {
        let addresses: Vec<String> = self.mailboxes.iter().map(ToString::to_string).collect();
        let text = |text: Option<Text<200>>| text.map(|t| t.as_str().to_lowercase()).filter(|t| !t.is_empty());
        let (from, subject) = (text(self.from), text(self.subject));
        let mut db = ctx.services.db.acquire().await?;
        let rows =
            store::codes::newest_in_each(&mut db, &addresses, from.as_deref(), subject.as_deref(), self.seconds.get()).await?;
        drop(db);
        let mut rows: HashMap<String, store::codes::Row> = rows.into_iter().map(|row| (row.address.clone(), row)).collect();
        let results: Vec<FoundCode> =
            self.mailboxes.into_iter().map(|mailbox| told(rows.remove(mailbox.as_str()), mailbox)).collect();
        let found = results.iter().filter(|result| result.code.is_some()).count();
        let summary = FoundSummary { total: results.len(), found, not_found: results.len() - found };
        Ok(FoundCodes { results, summary })
    }
}

fn told(row: Option<store::codes::Row>, mailbox: Address) -> FoundCode {
    let Some(row) = row else {
        let error = Some(format!("There is no mailbox {mailbox}, or it was asked for twice."));
        return FoundCode {
            mailbox,
            code: None,
            confidence: None,
            email: None,
            withheld: false,
            message: None,
            total_emails_checked: 0,
            error,
        };
    };
    let email = row.id.zip(row.received_at).map(|(id, received_at)| FoundEmail {
        id,
        subject: row.subject.unwrap_or_default(),
        sender: row.from_address.unwrap_or_default(),
        sender_name: row.from_name.unwrap_or_default(),
        received_at,
    });
    FoundCode {
        mailbox,
        code: row.code,
        confidence: row.code_confidence,
        email,
        withheld: row.withheld.is_some(),
        message: row.withheld.map(|policy| policy.reason(row.sender_trust)),
        total_emails_checked: row.checked,
        error: None,
    }
}
