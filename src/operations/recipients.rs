//! Why mail for an address lands where it does.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::error::Result;
use crate::ingest::Explanation;
use crate::types::{Address, Scope};

use super::{Ctx, Effect, Method, Operation, Spec};

/// Says what becomes of mail for an address and why: each step that is looked at, what it found, and the one that decides. It
/// asks what RCPT asks, so its answer is the one that a sender would hear now.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ExplainRecipient {
    /// The address, as a sender would write it.
    pub address: Address,
}

impl Operation for ExplainRecipient {
    type Output = Explanation;
    const SPEC: Spec = Spec {
        name: "explain_recipient",
        title: "Explain where mail for an address lands",
        rest: (Method::Get, "/recipients/{address}/explain"),
        scope: Scope::MailboxRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Explanation> {
        ctx.services.ingest.explain(&self.address).await
    }
}
