//! Messages that are kept apart because their author's domain disowns them. They are listed with `is_quarantined=true`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::{Error, Result};
use crate::store;
use crate::types::{MessageId, MessageSummary, Scope};

use super::messages::unknown_message;
use super::{Ctx, Effect, Method, Operation, Spec};

/// Releases a message from quarantine: from then on it is in the lists and answers of its mailbox like any other. Its verdicts
/// stay, and so does what the mailbox withholds of such senders.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseEmail {
    /// The message's id.
    pub id: MessageId,
}

impl Operation for ReleaseEmail {
    type Output = MessageSummary;
    const SPEC: Spec = Spec {
        name: "release_email",
        title: "Release a message from quarantine",
        rest: (Method::Post, "/messages/{id}/release"),
        scope: Scope::MailWrite,
        effect: Effect::Write,
        audit: Some("message.release"),
    };

    async fn run(self, ctx: &Ctx) -> Result<MessageSummary> {
        let mut tx = ctx.begin().await?;
        let released = store::messages::release(&mut tx, &[self.id.0]).await?;
        let message = store::messages::find(&mut tx, self.id).await?.ok_or_else(|| unknown_message(self.id))?;
        if released == 0 {
            return Err(Error::conflict("message_not_quarantined", "The message is not in quarantine."));
        }
        let detail = json!({ "mailbox": message.mailbox, "sender_trust": message.sender_trust });
        ctx.commit::<Self>(tx, &self.id.to_string(), detail).await?;
        Ok(message)
    }
}
