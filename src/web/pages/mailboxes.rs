//! The list of mailboxes, and changes to several at once.

use askama::Template;
use axum::extract::Query;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::operations::mailboxes::DeleteMailbox;
use crate::operations::mailboxes::ListMailboxes;
use crate::operations::mailboxes::RestoreMailbox;
use crate::operations::mailboxes::UpdateMailbox;
use crate::types::Address;
use crate::types::Cursor;
use crate::types::Lifecycle;
use crate::types::Mailbox;
use crate::types::Text;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::domains;
use crate::web::pages::trash;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

/// After how many days a mailbox may end; 0 is never.
const EXPIRIES: [i64; 6] = [0, 1, 7, 30, 90, 365];
const STATES: [Lifecycle; 5] =
    [Lifecycle::Active, Lifecycle::Disabled, Lifecycle::Expired, Lifecycle::Trashed, Lifecycle::Collected];
/// The most that one selection changes: a page of the list.
const MOST_AT_ONCE: usize = 200;

/// What the list shows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Filter {
    q: String,
    domain: String,
    state: String,
    /// `unassigned`, `shared`, or all.
    owner: String,
    cursor: String,
    /// Whether the form for a new one is open.
    new: String,
}

impl Filter {
    fn here(&self) -> String {
        let narrow = [("q", &self.q), ("domain", &self.domain), ("state", &self.state), ("owner", &self.owner)];
        let pairs = narrow.into_iter().chain([("cursor", &self.cursor)]);
        let query: Vec<_> = pairs.filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={}", encode(v))).collect();
        if query.is_empty() { "/admin/mailboxes".to_owned() } else { format!("/admin/mailboxes?{}", query.join("&")) }
    }

    fn is_narrow(&self) -> bool {
        !(self.q.is_empty() && self.domain.is_empty() && self.state.is_empty() && self.owner.is_empty())
    }

    fn operation(&self) -> Result<ListMailboxes, Error> {
        let domain = match self.domain.as_str() {
            "" => None,
            name => Some(name.parse().map_err(|reason| Error::invalid("domain", format!("{reason}")))?),
        };
        let lifecycle = match self.state.as_str() {
            "" => None,
            name => Some(Lifecycle::try_from(name.to_owned()).map_err(|reason| Error::invalid("state", reason))?),
        };
        let q = match self.q.trim() {
            "" => None,
            text => Some(Text::new(text).map_err(|reason| Error::invalid("q", reason))?),
        };
        let (unassigned_only, shared_only) = match self.owner.as_str() {
            "" => (None, None),
            "unassigned" => (Some(true), None),
            "shared" => (None, Some(true)),
            _ => return Err(Error::invalid("owner", "must be unassigned or shared")),
        };
        let cursor = cursor(&self.cursor)?;
        Ok(ListMailboxes { domain, lifecycle, q, unassigned_only, shared_only, cursor, ..ListMailboxes::default() })
    }
}

/// A cursor from an address; empty is the beginning.
pub(in crate::web) fn cursor(text: &str) -> Result<Option<Cursor>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    Cursor::try_from(text.to_owned()).map(Some).map_err(|reason| Error::invalid("cursor", reason))
}

/// What the forms for new mailboxes send.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct NewForm {
    pub address: String,
    pub domain: String,
    pub note: String,
    pub expires_in_days: i64,
    pub count: String,
}

#[derive(Debug, Template)]
#[template(path = "mailboxes/list.html")]
pub(in crate::web) struct MailboxesPage {
    ui: Ui,
    filter: Filter,
    mailboxes: Vec<Mailbox>,
    next: Option<String>,
    domains: Vec<String>,
    states: [Lifecycle; 5],
    expiries: [i64; 6],
    open_form: bool,
    form: NewForm,
    errors: Errors,
    batch_errors: Errors,
}

impl MailboxesPage {
    /// The page of a filter.
    pub(in crate::web) async fn of(admin: &Admin, filter: Filter) -> Result<Self, Error> {
        let page = admin.ctx.call(filter.operation()?).await?;
        let domains = domains::all(admin).await?;
        let default = domains.iter().find(|d| d.is_default).map(|d| d.name.to_string()).unwrap_or_default();
        let next = page.next_cursor.map(|next| Filter { cursor: next.into(), ..filter.clone() }.here());
        Ok(Self {
            ui: admin.ui(Section::Mailboxes),
            mailboxes: page.items,
            next,
            domains: domains.into_iter().map(|d| d.name.to_string()).collect(),
            states: STATES,
            expiries: EXPIRIES,
            open_form: !filter.new.is_empty(),
            form: NewForm { domain: default, count: "10".to_owned(), ..NewForm::default() },
            errors: Errors::default(),
            batch_errors: Errors::default(),
            filter,
        })
    }

    /// The page with a form that was refused.
    pub(in crate::web) fn refused(mut self, form: NewForm, one: Errors, many: Errors) -> Self {
        self.open_form = true;
        self.form = form;
        if self.form.count.is_empty() {
            "10".clone_into(&mut self.form.count);
        }
        self.errors = one;
        self.batch_errors = many;
        self
    }
}

/// `GET /admin/mailboxes`.
pub(in crate::web) async fn list(admin: Admin, Query(filter): Query<Filter>) -> Answer {
    render::page(&MailboxesPage::of(&admin, filter).await?)
}

/// What the selection sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Selection {
    action: String,
    address: Vec<String>,
    next: String,
    confirm: String,
}

/// `POST /admin/mailboxes/bulk`.
pub(in crate::web) async fn bulk(admin: Admin, Form(selection): Form<Selection>) -> Answer {
    let next = render::safe_next(&selection.next);
    if selection.action == "purge" && selection.confirm != "yes" && !selection.address.is_empty() {
        return trash::question(&admin, &selection.address, next);
    }
    for text in selection.address.iter().take(MOST_AT_ONCE) {
        let address = parsed(text)?;
        match change(&admin, &selection.action, address).await {
            // One that is so already is no reason to stop.
            Ok(()) | Err(Error::Conflict { .. } | Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if selection.address.is_empty() { render::see_other(next) } else { render::done(next, "bulk_done") }
}

async fn change(admin: &Admin, action: &str, address: Address) -> Result<(), Error> {
    let update = |is_active| UpdateMailbox {
        address: address.clone(),
        note: None,
        is_active: Some(is_active),
        sender_policy: None,
        expires_at: None,
        retention_days: None,
    };
    match action {
        "enable" => admin.ctx.call(update(true)).await.map(drop),
        "disable" => admin.ctx.call(update(false)).await.map(drop),
        "trash" => admin.ctx.call(DeleteMailbox { address }).await.map(drop),
        "restore" => admin.ctx.call(RestoreMailbox { address }).await.map(drop),
        "purge" => trash::purge(admin, address).await,
        _ => Err(Error::invalid("action", "must be enable, disable, trash, restore or purge")),
    }
}

/// The address of a path or form; what is none is simply not there.
pub(in crate::web) fn parsed(text: &str) -> Result<Address, Error> {
    text.parse().map_err(|_| Error::not_found("mailbox", format!("There is no mailbox {text}.")))
}
