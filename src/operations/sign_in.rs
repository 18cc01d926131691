//! Signing in to the panel, and the sessions that follow.

use std::net::IpAddr;

use serde_json::json;

use crate::crypto::{Password, digest, random_token, verify_dummy};
use crate::error::{Error, Result};
use crate::store;
use crate::store::principals::Session;
use crate::types::{PrincipalId, SessionId};

use super::setup::checked_password;
use super::{Caller, Ctx, Services, Surface};

/// How long a session lasts, in seconds.
pub const SESSION_SECONDS: u32 = 7 * 24 * 3600;

/// A browser that asks for a session.
#[derive(Debug, Clone)]
pub struct Browser {
    /// Its network address.
    pub remote: Option<IpAddr>,
    /// What it calls itself.
    pub user_agent: String,
    /// The request's id.
    pub request_id: String,
}

/// A new session. The token is for the cookie, and stored as a digest only.
#[derive(Debug)]
pub struct SignedIn {
    /// For the cookie.
    pub token: String,
    /// Who signed in.
    pub caller: Caller,
}

/// Signs an administrator in. The same answer, in the same time, for an unknown name and a wrong password.
pub async fn sign_in(services: &Services, browser: &Browser, username: &str, password: &Password) -> Result<SignedIn> {
    let username = username.trim();
    services.throttle.check(username, browser.remote)?;
    let mut db = services.db.acquire().await?;
    let account = store::principals::find_admin(&mut db, username).await?;
    drop(db);
    let account = match account {
        Some(row) if row.is_active => match &row.password_hash {
            Some(hash) if password.verify(hash).await? => Some(row),
            Some(_) => None,
            None => verify_dummy(password).await.map(|()| None)?,
        },
        _ => verify_dummy(password).await.map(|()| None)?,
    };
    let Some(account) = account else {
        services.throttle.failed(username, browser.remote);
        note_failure(services, browser, username).await?;
        return Err(Error::Unauthenticated("The user name or the password is not right.".into()));
    };
    services.throttle.succeeded(username);
    begin_session(services, browser, account.id, username).await
}

/// Gives a browser a session of an account that has just proved itself.
pub async fn begin_session(services: &Services, browser: &Browser, id: PrincipalId, username: &str) -> Result<SignedIn> {
    let token = random_token();
    let remote = browser.remote.map(|ip| ip.to_string()).unwrap_or_default();
    let user_agent: String = browser.user_agent.chars().filter(|c| !c.is_control()).take(300).collect();
    let new = store::principals::NewSession {
        token_digest: &digest(&token),
        principal_id: id,
        remote_address: &remote,
        user_agent: &user_agent,
        lifetime_seconds: f64::from(SESSION_SECONDS),
    };
    let mut tx = services.db.begin().await?;
    let session = store::principals::insert_session(&mut tx, &new).await?;
    let caller = Caller::Admin { id, username: username.to_owned(), session };
    let ctx = context(services, browser, caller.clone());
    ctx.audit(&mut tx, "session.begin", username, json!({ "user_agent": user_agent })).await?;
    tx.commit().await?;
    Ok(SignedIn { token, caller })
}

pub(super) fn context(services: &Services, browser: &Browser, caller: Caller) -> Ctx {
    Ctx {
        services: services.clone(),
        caller,
        surface: Surface::Panel,
        request_id: browser.request_id.clone(),
        remote: browser.remote,
    }
}

async fn note_failure(services: &Services, browser: &Browser, username: &str) -> Result<()> {
    let ctx = context(services, browser, Caller::Nobody);
    let target: String = username.chars().filter(|c| !c.is_control()).take(64).collect();
    let mut db = services.db.acquire().await?;
    ctx.audit_outcome(&mut db, "session.begin", &target, "denied", json!({})).await
}

/// Who holds a session's token; `None` where the session is over.
pub async fn session_of(services: &Services, token: &str) -> Result<Option<Session>> {
    let mut db = services.db.acquire().await?;
    let session = store::principals::find_session(&mut db, &digest(token)).await?;
    if let Some(session) = &session {
        store::principals::touch_session(&mut db, session.id).await?;
    }
    Ok(session)
}

/// Ends the caller's session.
pub async fn sign_out(ctx: &Ctx) -> Result<()> {
    let (id, username, session) = own_session(ctx)?;
    let mut tx = ctx.begin().await?;
    store::principals::delete_session(&mut tx, id, session).await?;
    ctx.audit(&mut tx, "session.end", username, json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// The caller's sessions, the one used last first.
pub async fn list_sessions(ctx: &Ctx) -> Result<Vec<Session>> {
    let (id, _, _) = own_session(ctx)?;
    let mut db = ctx.services.db.acquire().await?;
    store::principals::list_sessions(&mut db, id).await
}

/// Ends one of the caller's sessions.
pub async fn revoke_session(ctx: &Ctx, session: SessionId) -> Result<()> {
    let (id, username, _) = own_session(ctx)?;
    let mut tx = ctx.begin().await?;
    if !store::principals::delete_session(&mut tx, id, session).await? {
        return Err(Error::not_found("session", "There is no such session."));
    }
    ctx.audit(&mut tx, "session.revoke", username, json!({ "session": session })).await?;
    tx.commit().await?;
    Ok(())
}

/// Changes the caller's password, which needs the old one and ends all other sessions.
pub async fn change_password(ctx: &Ctx, old: &Password, new: &Password) -> Result<()> {
    let (id, username, session) = own_session(ctx)?;
    ctx.services.throttle.check(username, ctx.remote)?;
    let mut db = ctx.services.db.acquire().await?;
    let account = store::principals::find_admin(&mut db, username).await?;
    drop(db);
    let right = match account.and_then(|row| row.password_hash) {
        Some(hash) => old.verify(&hash).await?,
        None => false,
    };
    if !right {
        ctx.services.throttle.failed(username, ctx.remote);
        return Err(Error::invalid("old_password", "is not right"));
    }
    let hash = checked_password(new)?.hash().await?;
    let mut tx = ctx.begin().await?;
    store::principals::set_password(&mut tx, id, &hash).await?;
    store::principals::delete_other_sessions(&mut tx, id, session).await?;
    ctx.audit(&mut tx, "admin.change_password", username, json!({})).await?;
    tx.commit().await?;
    Ok(())
}

fn own_session(ctx: &Ctx) -> Result<(PrincipalId, &str, SessionId)> {
    match &ctx.caller {
        Caller::Admin { id, username, session } => Ok((*id, username, *session)),
        _ => Err(Error::Unauthenticated("Sign in first.".into())),
    }
}
