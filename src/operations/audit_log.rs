//! The audit log.

use crate::error::Result;
use crate::store;
use crate::types::{AuditEntry, Page, Scope, Text, Timestamp};

use super::listing::listing;
use super::{Ctx, Effect, Method, Operation, Spec};

listing! {
    /// Lists who did what, newest first.
    pub struct GetLogs {
        /// Just this action, such as `mailbox.create`; ending in a dot, such as `mailbox.`, all that begin so.
        pub action: Option<Text<100>>,
        /// Just what this actor did, by the name it had at the time.
        pub actor: Option<Text<254>>,
        /// Just what was done by actors of this kind, such as `admin`, `api_key` or `user`.
        pub actor_kind: Option<Text<20>>,
        /// Just what was done to this, such as a mailbox's address.
        pub target: Option<Text<254>>,
        /// Just what ended so: `done`, `denied` or `failed`.
        pub outcome: Option<Text<20>>,
        /// Just what happened at this time or later.
        pub start_time: Option<Timestamp>,
        /// Just what happened at this time or earlier.
        pub end_time: Option<Timestamp>,
    }
}

impl Operation for GetLogs {
    type Output = Page<AuditEntry>;
    const SPEC: Spec = Spec {
        name: "get_logs",
        title: "Read the audit log",
        rest: (Method::Get, "/audit-log"),
        scope: Scope::AuditRead,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<AuditEntry>> {
        let page = self.page();
        let filter = store::audit::Filter {
            action: given(self.action.as_ref()),
            actor: given(self.actor.as_ref()),
            actor_kind: given(self.actor_kind.as_ref()),
            target: given(self.target.as_ref()),
            outcome: given(self.outcome.as_ref()),
            from: self.start_time,
            until: self.end_time,
        };
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::audit::list(&mut db, &filter, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

fn given<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<&str> {
    text.map(Text::as_str).filter(|text| !text.is_empty())
}
