//! The audit log.

use askama::Template;
use axum::extract::Query;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations;
use crate::operations::audit_log::GetLogs;
use crate::types::AuditEntry;
use crate::types::Page;
use crate::types::Text;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::mailboxes::cursor;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

#[derive(Debug, Template)]
#[template(path = "audit_log.html")]
struct AuditLogPage {
    ui: Ui,
    entries: Vec<AuditEntry>,
    next: Option<String>,
    action: String,
    /// What one can filter by.
    actions: Vec<&'static str>,
    errors: Errors,
}

/// What the address holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    action: String,
    cursor: String,
}

/// `GET /admin/audit-log`.
pub(in crate::web) async fn list(admin: Admin, Query(asked): Query<Asked>) -> Answer {
    let ui = admin.ui(Section::AuditLog);
    let (page, errors) = match read(&admin, &asked).await {
        Ok(page) => (page, Ok(())),
        Err(error @ Error::Invalid(_)) => (Page { items: Vec::new(), next_cursor: None }, Err(error)),
        Err(error) => return Err(error.into()),
    };
    let status = errors.as_ref().err().map_or(axum::http::StatusCode::OK, http::status);
    let more = |next| format!("/admin/audit-log?action={}&cursor={}", encode(&asked.action), encode(String::from(next)));
    let mut actions: Vec<_> = operations::all().iter().filter_map(|entry| entry.spec.audit).collect();
    actions.extend(["session.begin", "session.end", "session.revoke", "admin.create", "admin.change_password"]);
    actions.sort_unstable();
    actions.dedup();
    let page = AuditLogPage {
        next: page.next_cursor.map(more),
        entries: page.items,
        errors: errors.err().map(|error| Errors::from_error(&error, &ui, &[])).unwrap_or_default(),
        action: asked.action,
        actions,
        ui,
    };
    render::page_with(status, &page)
}

async fn read(admin: &Admin, asked: &Asked) -> Result<Page<AuditEntry>, Error> {
    let action = match asked.action.trim() {
        "" => None,
        action => Some(Text::new(action).map_err(|reason| Error::invalid("action", reason))?),
    };
    admin.ctx.call(GetLogs { action, cursor: cursor(&asked.cursor)?, ..GetLogs::default() }).await
}
