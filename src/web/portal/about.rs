//! What there is to know about one mailbox: its state, the services that it is used for, its password for whom may see that.

use askama::Template;
use axum::extract::Path;
use axum_extra::extract::Form;

use crate::error::Error;
use crate::operations::mailboxes::GetMailbox;
use crate::operations::mailboxes::GetMailboxPassword;
use crate::operations::mailboxes::MailboxPassword;
use crate::operations::portal;
use crate::operations::service_links::GetMailboxServices;
use crate::types::Mailbox;
use crate::types::Scope;
use crate::types::ServiceBinding;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailboxes::parsed;
use crate::web::person::Person as _;
use crate::web::portal::Holder;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

#[derive(Debug, Template)]
#[template(path = "portal/about.html")]
struct AboutPage {
    ui: Ui,
    /// The address as a segment of a path.
    path: String,
    services: Vec<ServiceBinding>,
    /// Whether the reader may see the password.
    may_reveal: bool,
    /// The password, where the reader just asked for it.
    password: Option<MailboxPassword>,
    /// Whether the reader may put the mailbox into the trash.
    is_own: bool,
    mailbox: Mailbox,
}

async fn page(holder: &Holder, address: &str) -> Result<AboutPage, Error> {
    let address = parsed(address)?;
    let mailbox = holder.ctx.call_within(GetMailbox { address: address.clone() }).await?;
    let services = holder.ctx.call_within(GetMailboxServices { address }).await?;
    Ok(AboutPage {
        ui: holder.ui(Section::Mailboxes),
        path: encode(&mailbox.address),
        services,
        may_reveal: holder.ctx.caller.may(Scope::CredentialsRead),
        password: None,
        is_own: portal::is_own(&holder.ctx.caller, &mailbox),
        mailbox,
    })
}

/// `GET /portal/mailboxes/{address}/about`.
pub(in crate::web) async fn show(holder: Holder, Path(address): Path<String>) -> Answer {
    render::page(&page(&holder, &address).await?)
}

/// `POST /portal/mailboxes/{address}/password`: the page with the password. Each time is in the audit log.
pub(in crate::web) async fn reveal(holder: Holder, Path(address): Path<String>) -> Answer {
    let password = holder.ctx.call_within(GetMailboxPassword { address: parsed(&address)? }).await?;
    render::page(&AboutPage { password: Some(password), ..page(&holder, &address).await? })
}

/// `POST /portal/mailboxes/{address}/trash`.
pub(in crate::web) async fn trash(holder: Holder, Path(address): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let address = parsed(&address)?;
    let ui = holder.ui(Section::Mailboxes);
    let back = format!("/portal/mailboxes/{}/about", encode(&address));
    let question = ConfirmPage::new(&holder, Section::Mailboxes, &back).ask(
        ui.t1("portal.trash_question", &address),
        ui.t("portal.trash_text"),
        ui.t("trash"),
    );
    if !form.is_given() {
        return question.show();
    }
    match portal::trash_own_mailbox(&holder.ctx, address).await {
        Ok(()) => render::done("/portal", "mailbox_trashed"),
        Err(error) => question.failed(error),
    }
}
