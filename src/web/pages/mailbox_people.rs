//! Who sees a mailbox: its owner, or the members of a shared one.

use axum::extract::Path;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::operations::mailboxes::AddUserToSharedMailbox;
use crate::operations::mailboxes::AssignMailboxToUser;
use crate::operations::mailboxes::GetSharedMailboxUsers;
use crate::operations::mailboxes::RemoveUserFromSharedMailbox;
use crate::operations::mailboxes::SetMailboxShared;
use crate::operations::users::GetUser;
use crate::operations::users::ListUsers;
use crate::types::Int;
use crate::types::Mailbox;
use crate::types::Member;
use crate::types::PrincipalId;
use crate::types::Text;
use crate::types::User;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::mailbox::SettingsPage;
use crate::web::pages::mailbox::settings_of;
use crate::web::pages::mailboxes::parsed;
use crate::web::render;
use crate::web::render::Answer;

/// Who sees a mailbox, and who could.
#[derive(Debug, Default)]
pub(in crate::web) struct People {
    /// The owner of one that is not shared.
    pub owner: Option<User>,
    /// Who sees a shared one.
    pub members: Vec<Member>,
    /// Users to choose from: those who do not see it yet.
    pub users: Vec<User>,
    /// What the users are narrowed by.
    pub who: String,
    /// Whether there are more users than can be chosen from.
    pub has_more: bool,
    /// What is wrong with what was asked for.
    pub errors: Errors,
}

impl People {
    /// Those of a mailbox; users to choose from are those whose name or note contains `who`.
    pub(in crate::web) async fn of(admin: &Admin, mailbox: &Mailbox, who: &str) -> Result<Self, Error> {
        let owner = match mailbox.user_id {
            Some(id) => Some(admin.ctx.call(GetUser { id: Some(id), token: None }).await?),
            None => None,
        };
        let members = if mailbox.is_shared {
            admin.ctx.call(GetSharedMailboxUsers { address: mailbox.address.clone() }).await?
        } else {
            Vec::new()
        };
        let q = Text::new(who).map_err(|reason| Error::invalid("who", reason))?;
        let page = admin.ctx.call(ListUsers { q: Some(q), limit: Int::new(200), ..ListUsers::default() }).await?;
        let sees = |user: &User| mailbox.user_id == Some(user.id) || members.iter().any(|member| member.user_id == user.id);
        let users = page.items.into_iter().filter(|user| !sees(user)).collect();
        Ok(Self { owner, users, members, who: who.to_owned(), has_more: page.next_cursor.is_some(), errors: Errors::default() })
    }

    /// Whether there are so many users that one has to be searched for.
    pub(in crate::web) fn has_search(&self) -> bool {
        self.has_more || !self.who.is_empty()
    }
}

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Choice {
    /// A user's id; empty is nobody.
    user_id: String,
    /// `yes` shares the mailbox.
    shared: String,
}

impl Choice {
    fn user(&self) -> Result<Option<PrincipalId>, Error> {
        match self.user_id.as_str() {
            "" => Ok(None),
            id => user(id).map(Some),
        }
    }
}

fn user(id: &str) -> Result<PrincipalId, Error> {
    id.parse().map_err(|_| Error::not_found("user", "There is no such user."))
}

/// `POST /admin/mailboxes/{address}/owner`.
pub(in crate::web) async fn assign(admin: Admin, Path(address): Path<String>, Form(choice): Form<Choice>) -> Answer {
    let address = parsed(&address)?;
    let operation = AssignMailboxToUser { address: address.clone(), user_id: choice.user()? };
    match admin.ctx.call(operation).await {
        Ok(mailbox) => {
            let done = if mailbox.user_id.is_some() { "mailbox_assigned" } else { "mailbox_unassigned" };
            render::done(&settings_of(&address), done)
        }
        Err(error) => SettingsPage::refused(&admin, &address, error, |page, errors| page.people.errors = errors).await,
    }
}

/// `POST /admin/mailboxes/{address}/shared`.
pub(in crate::web) async fn share(admin: Admin, Path(address): Path<String>, Form(choice): Form<Choice>) -> Answer {
    let address = parsed(&address)?;
    let is_shared = choice.shared == "yes";
    let operation = SetMailboxShared { address: address.clone(), is_shared, owner_id: choice.user()? };
    match admin.ctx.call(operation).await {
        Ok(_) => render::done(&settings_of(&address), if is_shared { "mailbox_shared" } else { "mailbox_private" }),
        Err(error) => SettingsPage::refused(&admin, &address, error, |page, errors| page.people.errors = errors).await,
    }
}

/// `POST /admin/mailboxes/{address}/members`.
pub(in crate::web) async fn add_member(admin: Admin, Path(address): Path<String>, Form(choice): Form<Choice>) -> Answer {
    let address = parsed(&address)?;
    let result = match choice.user()? {
        Some(user_id) => admin.ctx.call(AddUserToSharedMailbox { address: address.clone(), user_id }).await,
        None => Err(Error::invalid("user_id", "is missing; choose a user")),
    };
    match result {
        Ok(_) => render::done(&settings_of(&address), "member_added"),
        Err(error) => SettingsPage::refused(&admin, &address, error, |page, errors| page.people.errors = errors).await,
    }
}

/// `POST /admin/mailboxes/{address}/members/{user}/remove`.
pub(in crate::web) async fn remove_member(admin: Admin, Path((address, id)): Path<(String, String)>) -> Answer {
    let address = parsed(&address)?;
    match admin.ctx.call(RemoveUserFromSharedMailbox { address: address.clone(), user_id: user(&id)? }).await {
        // Pressing the button twice makes no error.
        Ok(_) | Err(Error::NotFound { .. }) => render::done(&settings_of(&address), "member_removed"),
        Err(error) => Err(error.into()),
    }
}
