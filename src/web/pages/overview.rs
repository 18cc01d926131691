//! The first page: figures, first steps, the newest messages.

use askama::Template;

use crate::error::Error;
use crate::operations::domains::CreateDomain;
use crate::operations::mailboxes::CreateMailbox;
use crate::operations::mailboxes::ListMailboxes;
use crate::operations::search::ListAllEmails;
use crate::operations::stats::GetStats;
use crate::types::Int;
use crate::types::Lifecycle;
use crate::types::Text;

use crate::web::admin::Admin;
use crate::web::pages::message_row::Row;
use crate::web::pages::message_row::Where;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;

const DEMO_DOMAIN: &str = "inbox.example";
const DEMO_MAILBOX: &str = "hello@inbox.example";

#[derive(Debug, Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    ui: Ui,
    stats: Figures,
    steps: Steps,
    demo_domain: &'static str,
    demo_mailbox: &'static str,
    send_line: String,
    code_line: String,
    latest: Vec<Row>,
}

#[derive(Debug)]
struct Figures {
    messages: i64,
    unread: i64,
    mailboxes: i64,
    domains: i64,
}

/// Which of the first steps are taken.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four steps, each taken or not")]
struct Steps {
    domain: bool,
    mailbox: bool,
    message: bool,
    key: bool,
}

impl Steps {
    fn done_count(&self) -> usize {
        [self.domain, self.mailbox, self.message, self.key].into_iter().filter(|done| *done).count()
    }

    fn all_done(&self) -> bool {
        self.done_count() == 4
    }

    /// Offered while there is nothing that it could be in the way of.
    fn offer_demo(&self) -> bool {
        !self.domain && !self.mailbox
    }
}

/// `GET /admin`.
pub(in crate::web) async fn show(admin: Admin) -> Answer {
    let stats = admin.ctx.call(GetStats {}).await?;
    let latest = admin.ctx.call(ListAllEmails { limit: Int::new(6), ..ListAllEmails::default() }).await?;
    let mailbox = a_mailbox(&admin).await?;
    let config = &admin.ctx.services.config;
    let place = Where::default();
    render::page(&OverviewPage {
        ui: admin.ui(Section::Overview),
        steps: Steps {
            domain: stats.domains > 0,
            mailbox: stats.mailboxes > 0,
            message: !latest.items.is_empty(),
            key: stats.api_keys > 0,
        },
        stats: Figures {
            messages: stats.messages,
            unread: stats.unread_messages,
            mailboxes: stats.mailboxes,
            domains: stats.domains,
        },
        demo_domain: DEMO_DOMAIN,
        demo_mailbox: DEMO_MAILBOX,
        send_line: send_line(&smtp_address(&admin), &mailbox),
        code_line: code_line(&config.link("/api/v1/admin/verification-code"), &mailbox, "KEY"),
        latest: latest.items.into_iter().map(|found| Row::found(found, &place)).collect(),
    })
}

/// The newest mailbox that receives, for examples.
pub(in crate::web) async fn a_mailbox(admin: &Admin) -> Result<String, Error> {
    let newest = ListMailboxes { limit: Int::new(1), lifecycle: Some(Lifecycle::Active), ..ListMailboxes::default() };
    let mailbox = admin.ctx.call(newest).await?.items.pop();
    let address = mailbox.map(|m| m.address.to_string()).filter(|a| is_plain(a));
    Ok(address.unwrap_or_else(|| DEMO_MAILBOX.to_owned()))
}

/// Whether an address can stand in a line for the shell as it is.
fn is_plain(address: &str) -> bool {
    address.bytes().all(|b| b.is_ascii_alphanumeric() || b"@._-+".contains(&b))
}

fn smtp_address(admin: &Admin) -> String {
    let bound = admin.ctx.services.smtp_addresses.first().copied();
    bound.map_or_else(
        || "127.0.0.1:2525".to_owned(),
        // Nobody can send to the wildcard address; a shell on this machine reaches loopback.
        |address| if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() },
    )
}

/// A line for the shell that sends a first mail with a code.
fn send_line(smtp: &str, mailbox: &str) -> String {
    format!(
        "printf 'From: Sample Shop <shop@example.com>\\nTo: {mailbox}\\nSubject: Confirm your address\\n\\nYour verification code is 482913.\\nIt is valid for 10 minutes.\\n' | \
         curl --crlf smtp://{smtp} --mail-from shop@example.com --mail-rcpt {mailbox} --upload-file -"
    )
}

/// A line for the shell that asks for the newest code.
pub(in crate::web) fn code_line(url: &str, mailbox: &str, key: &str) -> String {
    let mailbox = crate::web::ui::encode(mailbox);
    format!("curl -H 'Authorization: Bearer {key}' '{url}?mailbox={mailbox}&wait=30'")
}

/// `POST /admin/demo`.
pub(in crate::web) async fn make_demo(admin: Admin) -> Answer {
    let name = DEMO_DOMAIN.parse().map_err(|_| Error::invalid("name", "is not a domain"))?;
    let address = DEMO_MAILBOX.parse().map_err(|_| Error::invalid("address", "is not an address"))?;
    ignore_existing(admin.ctx.call(CreateDomain::plain(name)).await)?;
    let mailbox = CreateMailbox { address: Some(address), note: Text::default(), expires_at: None };
    ignore_existing(admin.ctx.call(mailbox).await)?;
    render::done("/admin", "demo_made")
}

/// Pressing the button twice makes no error.
fn ignore_existing<T>(result: Result<T, Error>) -> Result<(), Error> {
    match result {
        Ok(_) | Err(Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
