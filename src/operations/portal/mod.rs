//! Signing in of those who read mail without being administrators: users by their token, holders of a mailbox's password, and
//! holders of an access link. Each sees a part of the installation, and nothing else is there for them.

mod news;
mod own;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::crypto::{Password, digest, random_token, verify_dummy};
use crate::error::{Error, Result};
use crate::store;
use crate::store::portal::{Holder, NewSession};
use crate::types::{Address, Reach, Scope, SessionId, User};

use super::context::within;
use super::sign_in::{Browser, context};
use super::{Caller, Ctx, Services, users};

pub use news::Earshot;
pub use own::{is_own, trash_own_mailbox};

/// How long a session lasts, in seconds.
pub const SESSION_SECONDS: u32 = 7 * 24 * 3600;

/// What a user may do with the mailboxes it sees.
pub(super) const USER_SCOPES: &[Scope] =
    &[Scope::MailRead, Scope::CodeRead, Scope::MailWrite, Scope::MailboxRead, Scope::CredentialsRead];
/// What the password of a mailbox is good for.
pub(super) const MAILBOX_SCOPES: &[Scope] = &[Scope::MailRead, Scope::CodeRead, Scope::MailWrite, Scope::MailboxRead];
/// What an access link is good for.
pub(super) const LINK_SCOPES: &[Scope] = &[Scope::MailRead, Scope::CodeRead, Scope::MailboxRead];

/// A new session. The token is for the cookie, and stored as a digest only.
#[derive(Debug)]
pub struct SignedIn {
    /// For the cookie.
    pub token: String,
    /// Who signed in.
    pub caller: Caller,
}

/// Signs a user in by its token, as in the link `/?key=TOKEN`.
pub async fn sign_in_user(services: &Services, browser: &Browser, token: &str) -> Result<SignedIn> {
    services.throttle.check("a user's token", browser.remote)?;
    let user = user_of(&mut *services.db.acquire().await?, token.trim()).await?;
    let Some(user) = user else {
        return Err(
            refused(services, browser, "a user's token", "The token is not valid: it is mistyped, expired or replaced.").await
        );
    };
    begin(services, browser, Holder::User(user.id), &user.id.to_string()).await
}

/// The user that holds a token, while both are good.
async fn user_of(db: &mut sqlx::PgConnection, token: &str) -> Result<Option<User>> {
    if !is_user_token(token) {
        return Ok(None);
    }
    let digest = digest(token);
    let filter = store::users::Filter { token_digest: Some(&digest), ..Default::default() };
    Ok(store::users::list(db, &filter, None, 1, 0).await?.pop())
}

/// Whether a text has the form of a user's token, which programs may send in place of a key.
pub fn is_user_token(text: &str) -> bool {
    text.starts_with(users::TOKEN_LABEL)
}

/// Tells which user sends its token with a request, and what that user sees at this moment. Nothing is remembered, so that a token
/// that is replaced and a mailbox that is taken away are gone at once.
pub async fn authenticate_user(services: &Services, token: &str) -> Result<Caller> {
    let find = async {
        let mut db = services.db.acquire().await?;
        let Some(user) = user_of(&mut db, token).await? else { return Ok(None) };
        let reach = Reach::Only { domains: Vec::new(), mailboxes: store::users::addresses(&mut db, user.id).await? };
        Ok(Some(Caller::User { id: user.id, name: user.name, session: None, reach: Arc::new(reach) }))
    };
    let caller = within(Duration::from_secs(10), find).await?;
    caller.ok_or_else(|| Error::Unauthenticated("The user's token is not valid: it is mistyped, expired or replaced.".into()))
}

/// Signs somebody in to one mailbox by its address and password. The same answer, in the same time, for an unknown address and a
/// wrong password.
pub async fn sign_in_mailbox(services: &Services, browser: &Browser, address: &str, password: &Password) -> Result<SignedIn> {
    let address = address.trim();
    let parsed = address.parse::<Address>().ok();
    // One account, however its address is spelled: `"a"@x` names the same mailbox as `a@x`.
    let spelled = parsed.as_ref().map_or(address, Address::as_str);
    let shown: String = spelled.chars().filter(|c| !c.is_control()).take(254).collect();
    services.throttle.check(&shown, browser.remote)?;
    let mailbox = match &parsed {
        Some(address) => store::portal::find_mailbox(&mut *services.db.acquire().await?, address).await?,
        None => None,
    };
    let right = match mailbox.as_ref().and_then(|row| row.password_hash.as_deref()) {
        Some(hash) => password.verify(hash).await?,
        None => verify_dummy(password).await.map(|()| false)?,
    };
    match mailbox {
        Some(mailbox) if right => {
            services.throttle.succeeded(&shown);
            begin(services, browser, Holder::Mailbox(mailbox.id), &shown).await
        }
        Some(_) | None => Err(refused(services, browser, &shown, "The address or the password is not right.").await),
    }
}

/// Signs the holder of an access link in to its mailbox.
pub async fn sign_in_link(services: &Services, browser: &Browser, token: &str) -> Result<SignedIn> {
    services.throttle.check("an access link", browser.remote)?;
    let opened = store::access_links::open(&mut *services.db.acquire().await?, &digest(token.trim())).await?;
    match opened {
        Some(link) => begin(services, browser, Holder::Link(link.id), link.address.as_str()).await,
        None => {
            Err(refused(services, browser, "an access link", "The link is not valid: it is mistyped, expired or revoked.").await)
        }
    }
}

/// Notes a failure. Of accounts that have no name, only the network address is slowed down.
async fn refused(services: &Services, browser: &Browser, account: &str, sentence: &'static str) -> Error {
    let named = account.contains('@');
    services.throttle.failed(if named { account } else { "" }, browser.remote);
    let ctx = context(services, browser, Caller::Nobody);
    let noted = async {
        let mut db = services.db.acquire().await?;
        ctx.audit_outcome(&mut db, "portal.sign_in", account, "denied", json!({})).await
    };
    match noted.await {
        Ok(()) => Error::Unauthenticated(sentence.into()),
        Err(error) => error,
    }
}

async fn begin(services: &Services, browser: &Browser, holder: Holder, target: &str) -> Result<SignedIn> {
    let token = random_token();
    let remote_address = browser.remote.map(|ip| ip.to_string()).unwrap_or_default();
    let user_agent: String = browser.user_agent.chars().filter(|c| !c.is_control()).take(300).collect();
    let new = NewSession {
        holder,
        token_digest: &digest(&token),
        remote_address: &remote_address,
        user_agent: &user_agent,
        lifetime_seconds: f64::from(SESSION_SECONDS),
    };
    let mut tx = services.db.begin().await?;
    store::portal::insert_session(&mut tx, &new).await?;
    let caller = caller_in(&mut tx, &token).await?.ok_or_else(|| Error::Unauthenticated("Sign in again.".into()))?;
    let ctx = context(services, browser, caller.clone());
    ctx.audit(&mut tx, "portal.sign_in", target, json!({ "user_agent": user_agent })).await?;
    tx.commit().await?;
    Ok(SignedIn { token, caller })
}

/// Who holds a session's token, with what they see at this moment; `None` where the session, the account, the mailbox or the link
/// is not good any more.
pub async fn caller_of(services: &Services, token: &str) -> Result<Option<Caller>> {
    caller_in(&mut *services.db.acquire().await?, token).await
}

async fn caller_in(db: &mut sqlx::PgConnection, token: &str) -> Result<Option<Caller>> {
    let Some(row) = store::portal::find_session(db, &digest(token)).await? else { return Ok(None) };
    let session = row.id;
    let only = |addresses: Vec<Address>| Arc::new(Reach::Only { domains: Vec::new(), mailboxes: addresses });
    if let (Some(id), Some(name)) = (row.user_id, row.user_name) {
        let reach = only(store::users::addresses(db, id).await?);
        return Ok(Some(Caller::User { id, name, session: Some(session), reach }));
    }
    let Some(address) = row.address else { return Ok(None) };
    let reach = only(vec![address.clone()]);
    Ok(match (row.mailbox_id, row.link_id) {
        (Some(id), _) => Some(Caller::Mailbox { id, address, session, reach }),
        (None, Some(id)) => Some(Caller::Link { id, address, session, reach }),
        (None, None) => None,
    })
}

/// Ends the caller's session.
pub async fn sign_out(ctx: &Ctx) -> Result<()> {
    let (session, target) = match &ctx.caller {
        Caller::User { session: Some(session), id, .. } => (*session, id.to_string()),
        Caller::Mailbox { session, address, .. } | Caller::Link { session, address, .. } => (*session, address.to_string()),
        _ => return Err(Error::Unauthenticated("Sign in first.".into())),
    };
    end(ctx, session, &target).await
}

async fn end(ctx: &Ctx, session: SessionId, target: &str) -> Result<()> {
    let mut tx = ctx.begin().await?;
    store::portal::delete_session(&mut tx, session).await?;
    ctx.audit(&mut tx, "portal.sign_out", target, json!({})).await?;
    tx.commit().await?;
    Ok(())
}
