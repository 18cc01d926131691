//! Users: the list, making one, and the token that is shown once.

use askama::Template;
use axum::extract::Query;
use axum_extra::extract::Form;
use serde::Deserialize;

use crate::error::Error;
use crate::http;
use crate::operations::users::CreateUser;
use crate::operations::users::ListUsers;
use crate::operations::users::UserWithToken;
use crate::types::Int;
use crate::types::Text;
use crate::types::User;
use crate::web::admin::Admin;
use crate::web::errors::Errors;
use crate::web::pages::mailboxes::cursor;
use crate::web::render;
use crate::web::render::Answer;
use crate::web::ui::Section;
use crate::web::ui::Ui;
use crate::web::ui::encode;

pub(in crate::web) const HERE: &str = "/admin/users";
/// After how many days a token may end; 0 is never.
pub(in crate::web) const EXPIRIES: [i64; 5] = [0, 7, 30, 90, 365];

/// What the list shows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Filter {
    q: String,
    /// `active`, `inactive`, or both.
    state: String,
    cursor: String,
    /// Whether the form for a new one is open.
    new: String,
}

impl Filter {
    fn is_narrow(&self) -> bool {
        !(self.q.is_empty() && self.state.is_empty())
    }

    fn operation(&self) -> Result<ListUsers, Error> {
        let q = Text::new(&self.q).map_err(|reason| Error::invalid("q", reason))?;
        let is_active = match self.state.as_str() {
            "" => None,
            "active" => Some(true),
            "inactive" => Some(false),
            _ => return Err(Error::invalid("state", "must be active or inactive")),
        };
        Ok(ListUsers { q: Some(q), is_active, cursor: cursor(&self.cursor)?, ..ListUsers::default() })
    }

    fn after(&self, next: String) -> String {
        format!("{HERE}?q={}&state={}&cursor={}", encode(&self.q), encode(&self.state), encode(next))
    }
}

/// What the form for a new user sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct NewForm {
    name: String,
    note: String,
    expires_in_days: i64,
}

#[derive(Debug, Template)]
#[template(path = "users/list.html")]
struct UsersPage {
    ui: Ui,
    filter: Filter,
    users: Vec<User>,
    next: Option<String>,
    expiries: [i64; 5],
    open_form: bool,
    form: NewForm,
    errors: Errors,
}

/// The token and the link, shown once.
#[derive(Debug, Template)]
#[template(path = "users/token.html")]
struct TokenPage {
    ui: Ui,
    made: UserWithToken,
}

async fn page(admin: &Admin, filter: Filter) -> Result<UsersPage, Error> {
    let page = admin.ctx.call(filter.operation()?).await?;
    Ok(UsersPage {
        ui: admin.ui(Section::Users),
        users: page.items,
        next: page.next_cursor.map(|next| filter.after(next.into())),
        expiries: EXPIRIES,
        open_form: !filter.new.is_empty(),
        form: NewForm::default(),
        errors: Errors::default(),
        filter,
    })
}

/// `GET /admin/users`.
pub(in crate::web) async fn list(admin: Admin, Query(filter): Query<Filter>) -> Answer {
    render::page(&page(&admin, filter).await?)
}

/// `POST /admin/users`.
pub(in crate::web) async fn create(admin: Admin, Form(form): Form<NewForm>) -> Answer {
    match make(&admin, &form).await {
        Ok(made) => show_token(&admin, made),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = Errors::from_error(&error, &admin.ui(Section::Users), &["name", "note", "token_expires_in_days"]);
            let page = UsersPage { open_form: true, form, errors, ..page(&admin, Filter::default()).await? };
            render::page_with(http::status(&error), &page)
        }
        Err(error) => Err(error.into()),
    }
}

async fn make(admin: &Admin, form: &NewForm) -> Result<UserWithToken, Error> {
    let name = Text::new(&form.name).map_err(|reason| Error::invalid("name", reason))?;
    if name.as_str().is_empty() {
        return Err(Error::invalid("name", "is empty; say what people call the user"));
    }
    let note = Text::new(&form.note).map_err(|reason| Error::invalid("note", reason))?;
    admin.ctx.call(CreateUser { name, note, token_expires_in_days: days(form.expires_in_days)? }).await
}

/// Days from a form; 0 is never.
pub(in crate::web) fn days(days: i64) -> Result<Option<Int<1, 3650>>, Error> {
    let wrong = || Error::invalid("token_expires_in_days", "must be from 1 to 3650");
    if days == 0 { Ok(None) } else { Int::new(days).map(Some).ok_or_else(wrong) }
}

/// Shows a token that was just made.
pub(in crate::web) fn show_token(admin: &Admin, made: UserWithToken) -> Answer {
    render::page(&TokenPage { ui: admin.ui(Section::Users), made })
}
