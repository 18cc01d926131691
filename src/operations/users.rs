//! Users: who reads mail without being an administrator.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::crypto::{digest, random_token};
use crate::error::{Error, Result};
use crate::store;
use crate::store::users::Token;
use crate::types::{Int, Page, PrincipalId, Scope, Text, User};

use super::listing::listing;
use super::{Ctx, Effect, Method, Operation, Spec};

/// What a user's token begins with.
pub(super) const TOKEN_LABEL: &str = "xmail_user_";

fn new_token() -> String {
    format!("{TOKEN_LABEL}{}", random_token())
}

listing! {
    /// Lists the users, newest first. Their tokens are not stored and cannot be shown again.
    pub struct ListUsers {
        /// Just those whose name or note contains this text.
        pub q: Option<Text<200>>,
        /// Just those that may sign in, or just those that may not.
        pub is_active: Option<bool>,
    }
}

impl Operation for ListUsers {
    type Output = Page<User>;
    const SPEC: Spec = Spec {
        name: "list_users",
        title: "List users",
        rest: (Method::Get, "/users"),
        scope: Scope::UsersAdmin,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<User>> {
        let page = self.page();
        let text = self.q.as_ref().map(Text::as_str).filter(|q| !q.is_empty());
        let filter = store::users::Filter { is_active: self.is_active, text, ..Default::default() };
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::users::list(&mut db, &filter, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

/// Makes a user. The answer shows the token once; it is stored as a digest only.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateUser {
    /// What people call the user.
    #[serde(default)]
    pub name: Text<100>,
    /// A note for people.
    #[serde(default)]
    pub note: Text<200>,
    /// After how many days the token is refused; without, never.
    #[serde(default)]
    pub token_expires_in_days: Option<Int<1, 3650>>,
}

/// A user with a token that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserWithToken {
    /// The user.
    pub user: User,
    /// The whole token. It is not shown again.
    #[schemars(extend("examples" = ["xmail_user_1nT0dZ…"]))]
    pub token: String,
    /// The address that signs the user in with the token.
    #[schemars(extend("examples" = ["https://mail.example/?key=xmail_user_1nT0dZ…"]))]
    pub link: String,
}

fn with_token(ctx: &Ctx, user: User, token: String) -> UserWithToken {
    UserWithToken { user, link: ctx.services.config.link(&format!("/?key={token}")), token }
}

impl Operation for CreateUser {
    type Output = UserWithToken;
    const SPEC: Spec = Spec {
        name: "create_user",
        title: "Make a user",
        rest: (Method::Post, "/users"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("user.create"),
    };

    async fn run(self, ctx: &Ctx) -> Result<UserWithToken> {
        let token = new_token();
        let stored = Token { digest: &digest(&token), expires_in_days: self.token_expires_in_days.map(Int::get) };
        let mut tx = ctx.begin().await?;
        let id = store::users::insert(&mut tx, self.name.as_str(), self.note.as_str(), &stored).await?;
        let user = found(&mut tx, id).await?;
        ctx.commit::<Self>(tx, &id.to_string(), json!({ "name": self.name })).await?;
        Ok(with_token(ctx, user, token))
    }
}

/// Gets a user by its id, or by its token while that is good.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GetUser {
    /// The user's id.
    #[serde(default)]
    pub id: Option<PrincipalId>,
    /// The user's token, where the id is not known; `-` then stands for the id in the path.
    #[serde(default)]
    pub token: Option<Text<100>>,
}

impl Operation for GetUser {
    type Output = User;
    const SPEC: Spec = Spec {
        name: "get_user",
        title: "Get a user",
        rest: (Method::Get, "/users/{id}"),
        scope: Scope::UsersAdmin,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<User> {
        let mut db = ctx.services.db.acquire().await?;
        match (self.token, self.id) {
            (Some(token), _) => {
                let digest = digest(token.as_str());
                let filter = store::users::Filter { token_digest: Some(&digest), ..Default::default() };
                let user = store::users::list(&mut db, &filter, None, 1, 0).await?.pop();
                user.ok_or_else(|| Error::not_found("user", "There is no user with this token, or it may not sign in."))
            }
            (None, Some(id)) => found(&mut db, id).await,
            (None, None) => Err(Error::invalid("id", "is missing; give the id, or the token")),
        }
    }
}

/// Changes a user. What is not given stays as it is. One that is made inactive is signed out everywhere at once.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct UpdateUser {
    /// The user's id.
    pub id: PrincipalId,
    /// What people call the user.
    #[serde(default)]
    pub name: Option<Text<100>>,
    /// A note for people.
    #[serde(default)]
    pub note: Option<Text<200>>,
    /// Whether the user may sign in.
    #[serde(default)]
    pub is_active: Option<bool>,
}

impl Operation for UpdateUser {
    type Output = User;
    const SPEC: Spec = Spec {
        name: "update_user",
        title: "Change a user",
        rest: (Method::Patch, "/users/{id}"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("user.update"),
    };

    async fn run(self, ctx: &Ctx) -> Result<User> {
        let mut tx = ctx.begin().await?;
        let (name, note) = (self.name.as_ref().map(Text::as_str), self.note.as_ref().map(Text::as_str));
        if !store::users::update(&mut tx, self.id, name, note, self.is_active).await? {
            return Err(unknown_user(self.id));
        }
        let user = found(&mut tx, self.id).await?;
        let detail = json!({ "name": self.name, "note": self.note, "is_active": self.is_active });
        ctx.commit_and_forget::<Self>(tx, &self.id.to_string(), detail).await?;
        Ok(user)
    }
}

/// Removes a user, who is signed out everywhere at once. The mailboxes that it owned have no owner then; nothing in them is lost.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeleteUser {
    /// The user's id.
    pub id: PrincipalId,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedUser {
    /// The user's id.
    pub id: PrincipalId,
    /// Always true.
    pub deleted: bool,
}

impl Operation for DeleteUser {
    type Output = DeletedUser;
    const SPEC: Spec = Spec {
        name: "delete_user",
        title: "Remove a user",
        rest: (Method::Delete, "/users/{id}"),
        scope: Scope::UsersAdmin,
        effect: Effect::Destructive,
        audit: Some("user.delete"),
    };

    async fn run(self, ctx: &Ctx) -> Result<DeletedUser> {
        let mut tx = ctx.begin().await?;
        let user = found(&mut tx, self.id).await?;
        store::users::delete(&mut tx, self.id).await?;
        ctx.commit_and_forget::<Self>(tx, &self.id.to_string(), json!({ "name": user.name })).await?;
        Ok(DeletedUser { id: self.id, deleted: true })
    }
}

/// Gives a user another token. The old one is refused at once, and the sessions that it began end. The answer shows the new
/// token once.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RotateUserToken {
    /// The user's id.
    pub id: PrincipalId,
    /// After how many days the new token is refused; without, never.
    #[serde(default)]
    pub token_expires_in_days: Option<Int<1, 3650>>,
}

impl Operation for RotateUserToken {
    type Output = UserWithToken;
    const SPEC: Spec = Spec {
        name: "rotate_user_token",
        title: "Give a user another token",
        rest: (Method::Post, "/users/{id}/token"),
        scope: Scope::UsersAdmin,
        effect: Effect::Write,
        audit: Some("user.rotate_token"),
    };

    async fn run(self, ctx: &Ctx) -> Result<UserWithToken> {
        let token = new_token();
        let stored = Token { digest: &digest(&token), expires_in_days: self.token_expires_in_days.map(Int::get) };
        let mut tx = ctx.begin().await?;
        if !store::users::replace_token(&mut tx, self.id, &stored).await? {
            return Err(unknown_user(self.id));
        }
        let user = found(&mut tx, self.id).await?;
        ctx.commit_and_forget::<Self>(tx, &self.id.to_string(), json!({ "name": user.name })).await?;
        Ok(with_token(ctx, user, token))
    }
}

fn unknown_user(id: PrincipalId) -> Error {
    Error::not_found("user", format!("There is no user {id}."))
}

pub(super) async fn found(db: &mut PgConnection, id: PrincipalId) -> Result<User> {
    store::users::find(db, id).await?.ok_or_else(|| unknown_user(id))
}
