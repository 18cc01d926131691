//! The audit log.

use crate::error::Result;
use crate::store;
use crate::types::{AuditEntry, Page, Scope, Text};

use super::listing::listing;
use super::{Ctx, Effect, Method, Operation, Spec};

listing! {
    /// Lists who did what, newest first.
    pub struct GetLogs {
        /// Just this action, such as `mailbox.create`; ending in a dot, such as `mailbox.`, all that begin so.
        pub action: Option<Text<100>>,
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
        let action = self.action.as_ref().map(Text::as_str).filter(|a| !a.is_empty());
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::audit::list(&mut db, action, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}
