//! One user: its name and note, its token, and the mailboxes that it sees.

use askama::Template;
use axum::extract::Path;
use axum::extract::Query;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::mailboxes::AddUserToSharedMailbox;
use crate::operations::mailboxes::AssignMailboxToUser;
use crate::operations::mailboxes::AssignMailboxesToUser;
use crate::operations::mailboxes::ListMailboxes;
use crate::operations::mailboxes::RemoveUserFromSharedMailbox;
use crate::operations::users::DeleteUser;
use crate::operations::users::GetUser;
use crate::operations::users::RotateUserToken;
use crate::operations::users::UpdateUser;
use crate::types::Address;
use crate::types::Mailbox;
use crate::types::PrincipalId;
use crate::types::Text;
use crate::types::User;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::confirm::Confirmation;
use crate::web::pages::mailboxes;
use crate::web::pages::mailboxes::cursor;
use crate::web::pages::pasted;
use crate::web::pages::users;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

#[derive(Debug, Template)]
#[template(path = "users/user.html")]
struct UserPage {
    ui: Ui,
    user: User,
    mailboxes: Vec<Mailbox>,
    next: Option<String>,
    expiries: [i64; 5],
    form: UserForm,
    /// The addresses as they were pasted.
    given: String,
    results: Vec<Given>,
    errors: Errors,
}

/// What became of an address that was pasted.
#[derive(Debug)]
struct Given {
    address: String,
    /// `owner`, `member`, `refused` or `wrong`.
    result: &'static str,
}

/// What the address holds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Asked {
    cursor: String,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct UserForm {
    name: String,
    note: String,
    /// `yes`, or not there.
    is_active: String,
}

/// The addresses to hand over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct GiveForm {
    addresses: String,
}

/// The question before a token is replaced.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct RotateForm {
    confirm: String,
    expires_in_days: i64,
}

fn parsed(id: &str) -> Result<PrincipalId, Error> {
    id.parse().map_err(|_| Error::not_found("user", "There is no such user."))
}

fn href(id: PrincipalId) -> String {
    format!("{}/{id}", users::HERE)
}

async fn get(admin: &Admin, id: PrincipalId) -> Result<User, Error> {
    admin.ctx.call(GetUser { id: Some(id), token: None }).await
}

async fn page(admin: &Admin, id: PrincipalId, from: &str) -> Result<UserPage, Error> {
    let user = get(admin, id).await?;
    let seen = ListMailboxes { user_id: Some(id), cursor: cursor(from)?, ..ListMailboxes::default() };
    let seen = admin.ctx.call(seen).await?;
    let is_active = if user.is_active { "yes".to_owned() } else { String::new() };
    Ok(UserPage {
        ui: admin.ui(Section::Users),
        form: UserForm { name: user.name.clone(), note: user.note.clone(), is_active },
        user,
        mailboxes: seen.items,
        next: seen.next_cursor.map(|next| format!("{}?cursor={}#mailboxes", href(id), encode(String::from(next)))),
        expiries: users::EXPIRIES,
        given: String::new(),
        results: Vec::new(),
        errors: Errors::default(),
    })
}

/// `GET /admin/users/{id}`.
pub(in crate::web) async fn show(admin: Admin, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    render::page(&page(&admin, parsed(&id)?, &asked.cursor).await?)
}

/// `POST /admin/users/{id}`.
pub(in crate::web) async fn update(admin: Admin, Path(id): Path<String>, Form(form): Form<UserForm>) -> Answer {
    let id = parsed(&id)?;
    let result = match changes(id, &form) {
        Ok(changes) => admin.ctx.call(changes).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(_) => render::done(&href(id), "user_changed"),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Users), &["name", "note"]);
            let page = UserPage { form, errors, ..page(&admin, id, "").await? };
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

fn changes(id: PrincipalId, form: &UserForm) -> Result<UpdateUser, Error> {
    let name = Text::new(&form.name).map_err(|reason| Error::invalid("name", reason))?;
    let note = Text::new(&form.note).map_err(|reason| Error::invalid("note", reason))?;
    Ok(UpdateUser { id, name: Some(name), note: Some(note), is_active: Some(form.is_active == "yes") })
}

/// `POST /admin/users/{id}/token`.
pub(in crate::web) async fn rotate(admin: Admin, Path(id): Path<String>, Form(form): Form<RotateForm>) -> Answer {
    let id = parsed(&id)?;
    let token_expires_in_days = users::days(form.expires_in_days)?;
    let ui = admin.ui(Section::Users);
    if form.confirm != "yes" {
        let user = get(&admin, id).await?;
        return ConfirmPage::new(&admin, Section::Users, &href(id))
            .ask(ui.t1("users.rotate_title", user.name), ui.t("users.rotate_text"), ui.t("users.rotate"))
            .carrying("expires_in_days", form.expires_in_days.to_string())
            .show();
    }
    users::show_token(&admin, admin.ctx.call(RotateUserToken { id, token_expires_in_days }).await?)
}

/// `POST /admin/users/{id}/delete`.
pub(in crate::web) async fn delete(admin: Admin, Path(id): Path<String>, Form(form): Form<Confirmation>) -> Answer {
    let id = parsed(&id)?;
    let user = get(&admin, id).await?;
    let ui = admin.ui(Section::Users);
    let text = match user.mailbox_count {
        0 => ui.t("users.delete_text_none").to_owned(),
        number => ui.count("users.delete_text", &number),
    };
    let question =
        ConfirmPage::new(&admin, Section::Users, &href(id)).ask(ui.t1("users.delete_title", user.name), &text, ui.t("delete"));
    if !form.is_given() {
        return question.show();
    }
    match admin.ctx.call(DeleteUser { id }).await {
        Ok(_) => render::done(users::HERE, "user_deleted"),
        Err(error) => question.failed(error),
    }
}

/// `POST /admin/users/{id}/mailboxes`: hands over mailboxes, each with its own result. A shared one gets a member.
pub(in crate::web) async fn give(admin: Admin, Path(id): Path<String>, Form(form): Form<GiveForm>) -> Answer {
    let id = parsed(&id)?;
    let (addresses, wrong) = pasted::addresses(&form.addresses);
    let mut results = give_all(&admin, id, addresses).await?;
    results.extend(wrong.into_iter().map(|address| Given { address, result: "wrong" }));
    let is_clean = !results.is_empty() && results.iter().all(|item| matches!(item.result, "owner" | "member"));
    if is_clean {
        return render::done(&href(id), "user_given");
    }
    let page = UserPage { given: form.addresses, results, ..page(&admin, id, "").await? };
    render::page(&page)
}

async fn give_all(admin: &Admin, id: PrincipalId, addresses: Vec<Address>) -> Result<Vec<Given>, Error> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let mut results = Vec::new();
    for item in admin.ctx.call(AssignMailboxesToUser { addresses, user_id: Some(id) }).await? {
        let result = if item.assigned { "owner" } else { join(admin, id, item.address.clone()).await? };
        results.push(Given { address: item.address.to_string(), result });
    }
    Ok(results)
}

/// What cannot be owned may be shared.
async fn join(admin: &Admin, user_id: PrincipalId, address: Address) -> Result<&'static str, Error> {
    match admin.ctx.call(AddUserToSharedMailbox { address, user_id }).await {
        Ok(_) => Ok("member"),
        Err(Error::NotFound { .. } | Error::Conflict { .. }) => Ok("refused"),
        Err(error) => Err(error),
    }
}

/// `POST /admin/users/{id}/mailboxes/{address}/take`.
pub(in crate::web) async fn take(admin: Admin, Path((id, address)): Path<(String, String)>) -> Answer {
    let (user_id, address) = (parsed(&id)?, mailboxes::parsed(&address)?);
    match admin.ctx.call(RemoveUserFromSharedMailbox { address: address.clone(), user_id }).await {
        Ok(_) => {}
        // No member: its owner, then.
        Err(Error::NotFound { .. }) => drop(admin.ctx.call(AssignMailboxToUser { address, user_id: None }).await?),
        Err(error) => return Err(error.into()),
    }
    render::done(&href(user_id), "user_taken")
}
