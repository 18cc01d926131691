//! The SMTP sessions, each with what was said, and the peers that are banned.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::smtp_sessions::GetSmtpSession;
use crate::operations::smtp_sessions::LiftSmtpBan;
use crate::operations::smtp_sessions::ListSmtpBans;
use crate::operations::smtp_sessions::ListSmtpSessions;
use crate::operations::smtp_sessions::SmtpSessionDetail;
use crate::types::Int;
use crate::types::Page;
use crate::types::SessionId;
use crate::types::SmtpBan;
use crate::types::SmtpBanId;
use crate::types::SmtpOutcome;
use crate::types::SmtpSession;
use crate::types::SmtpStored;
use crate::types::SmtpTransaction;
use crate::types::Text;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::mailboxes::cursor;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

const HERE: &str = "/admin/smtp-sessions";

#[derive(Debug, Template)]
#[template(path = "smtp_sessions/list.html")]
struct ListPage {
    ui: Ui,
    sessions: Vec<SmtpSession>,
    bans: Vec<SmtpBan>,
    next: Option<String>,
    asked: Asked,
    outcomes: [SmtpOutcome; 8],
    /// The first page reads itself anew now and then.
    is_live: bool,
    errors: Errors,
}

#[derive(Debug, Template)]
#[template(path = "smtp_sessions/detail.html")]
struct DetailPage {
    ui: Ui,
    detail: SmtpSessionDetail,
}

impl DetailPage {
    /// The messages that a transaction became.
    fn stored_of(&self, transaction: &SmtpTransaction) -> Vec<&SmtpStored> {
        self.detail.stored.iter().filter(|stored| transaction.content_id == Some(stored.content_id)).collect()
    }
}

/// What the address holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    address: String,
    recipient: String,
    sender: String,
    code: String,
    outcome: String,
    cursor: String,
}

impl Asked {
    fn is_narrow(&self) -> bool {
        [&self.address, &self.recipient, &self.sender, &self.code, &self.outcome].iter().any(|text| !text.trim().is_empty())
    }

    fn href(&self) -> String {
        format!(
            "{HERE}?address={}&recipient={}&sender={}&code={}&outcome={}",
            encode(&self.address),
            encode(&self.recipient),
            encode(&self.sender),
            encode(&self.code),
            encode(&self.outcome)
        )
    }
}

fn text<const MAX: usize>(field: &'static str, text: &str) -> Result<Option<Text<MAX>>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    Text::new(text).map(Some).map_err(|reason| Error::invalid(field, reason))
}

fn code(text: &str) -> Result<Option<Int<200, 599>>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let code = text.trim().parse().ok().and_then(Int::new);
    code.map(Some).ok_or_else(|| Error::invalid("reply_code", "must be a whole number from 200 to 599"))
}

/// `GET /admin/smtp-sessions`.
pub(in crate::web) async fn list(admin: Admin, Query(asked): Query<Asked>) -> Answer {
    let ui = admin.ui(Section::SmtpSessions);
    let (page, errors) = match read(&admin, &asked).await {
        Ok(page) => (page, Ok(())),
        Err(error @ Error::Invalid(_)) => (Page { items: Vec::new(), next_cursor: None }, Err(error)),
        Err(error) => return Err(error.into()),
    };
    let bans = admin.ctx.call(ListSmtpBans { limit: Int::new(50), ..ListSmtpBans::default() }).await?.items;
    let status = errors.as_ref().err().map_or(StatusCode::OK, http::status);
    let page = ListPage {
        next: page.next_cursor.map(|next| format!("{}&cursor={}", asked.href(), encode(String::from(next)))),
        sessions: page.items,
        bans,
        is_live: asked.cursor.is_empty() && errors.is_ok(),
        errors: errors.err().map(|error| Errors::from_error(&error, &ui, &[])).unwrap_or_default(),
        asked,
        outcomes: SmtpOutcome::ALL,
        ui,
    };
    render::page_with(status, &page)
}

async fn read(admin: &Admin, asked: &Asked) -> Result<Page<SmtpSession>, Error> {
    let list = ListSmtpSessions {
        address: text("address", &asked.address)?,
        recipient: text("recipient", &asked.recipient)?,
        sender: text("sender", &asked.sender)?,
        reply_code: code(&asked.code)?,
        outcome: SmtpOutcome::from_name(&asked.outcome),
        cursor: cursor(&asked.cursor)?,
        ..ListSmtpSessions::default()
    };
    admin.ctx.call(list).await
}

/// `GET /admin/smtp-sessions/{id}`.
pub(in crate::web) async fn show(admin: Admin, Path(id): Path<String>) -> Answer {
    let id: SessionId = id.parse().map_err(|_| Error::not_found("smtp_session", "There is no such SMTP session."))?;
    let detail = admin.ctx.call(GetSmtpSession { id }).await?;
    render::page(&DetailPage { ui: admin.ui(Section::SmtpSessions), detail })
}

/// `POST /admin/smtp-bans/{id}/lift`.
pub(in crate::web) async fn lift(admin: Admin, Path(id): Path<String>) -> Answer {
    let id: SmtpBanId = id.parse().map_err(|_| Error::not_found("smtp_ban", "There is no such ban."))?;
    admin.ctx.call(LiftSmtpBan { id }).await?;
    render::done(HERE, "ban_lifted")
}
