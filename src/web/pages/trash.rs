//! Removing for good what is in the trash: what was selected, or all of it.

use std::time::Duration;
use std::time::Instant;

use axum_extra::extract::Form;

use crate::error::Error;
use crate::operations::mailboxes::GetMailbox;
use crate::operations::mailboxes::ListDeletedMailboxes;
use crate::operations::mailboxes::PurgeMailbox;
use crate::operations::stats::GetStats;
use crate::types::Address;
use crate::types::Int;
use crate::types::Lifecycle;
use crate::web::admin::Admin;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;

const TRASH: &str = "/admin/mailboxes?state=trashed";
/// How long one request goes on removing. What is left is told, and removed by asking once more.
const LONGEST: Duration = Duration::from_secs(20);

/// `POST /admin/mailboxes/empty-trash`.
pub(in crate::web) async fn empty(admin: Admin, Form(form): Form<Confirmation>) -> Answer {
    let ui = admin.ui(Section::Mailboxes);
    if !form.is_given() {
        let number = admin.ctx.call(GetStats {}).await?.trashed_mailboxes;
        return ConfirmPage::new(&admin, Section::Mailboxes, TRASH)
            .ask(ui.count("trash_page.empty_title", &number), ui.t("trash_page.purge_text"), ui.t("purge"))
            .show();
    }
    let began = Instant::now();
    loop {
        let list = ListDeletedMailboxes { limit: Int::new(100), ..ListDeletedMailboxes::default() };
        let found = admin.ctx.call(list).await?.items;
        if found.is_empty() {
            return render::done(TRASH, "trash_emptied");
        }
        for mailbox in found {
            purge(&admin, mailbox.address).await?;
            if began.elapsed() > LONGEST {
                return render::done(TRASH, "trash_goes_on");
            }
        }
    }
}

/// The question before the selected mailboxes are removed for good.
pub(in crate::web) fn question(admin: &Admin, addresses: &[String], next: &str) -> Answer {
    let ui = admin.ui(Section::Mailboxes);
    let number = i64::try_from(addresses.len()).unwrap_or(i64::MAX);
    let question = ConfirmPage::new(admin, Section::Mailboxes, next).ask(
        ui.count("trash_page.purge_title", &number),
        ui.t("trash_page.purge_text"),
        ui.t("purge"),
    );
    let question = question.carrying("action", "purge".to_owned());
    addresses.iter().fold(question, |question, address| question.carrying("address", address.clone())).show()
}

/// Removes a mailbox for good; one that somebody restored or removed meanwhile is left as it is.
pub(in crate::web) async fn purge(admin: &Admin, address: Address) -> Result<(), Error> {
    let mailbox = match admin.ctx.call(GetMailbox { address: address.clone() }).await {
        Ok(mailbox) => mailbox,
        Err(Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    if mailbox.lifecycle != Lifecycle::Trashed {
        return Ok(());
    }
    match admin.ctx.call(PurgeMailbox { address, permanent: true }).await {
        Ok(_) | Err(Error::NotFound { .. } | Error::Conflict { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
