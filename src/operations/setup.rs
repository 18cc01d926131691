//! The first administrator: made from settings, at the command line, or by a one-time link.

use serde_json::json;

use crate::crypto::{Password, digest, random_token};
use crate::error::{Error, Result};
use crate::store;
use crate::types::PrincipalId;

use super::{Ctx, Services};

/// The fewest characters of a password that a person chooses.
pub const FEWEST_PASSWORD_CHARACTERS: usize = 10;
const MOST_PASSWORD_CHARACTERS: usize = 500;

/// Whether somebody still has to become the first administrator.
pub async fn is_needed(services: &Services) -> Result<bool> {
    let mut db = services.db.acquire().await?;
    Ok(!store::principals::has_admin(&mut db).await?)
}

/// Makes a setup link: good once, for half an hour, and only while there is no administrator. Links made before end.
pub async fn new_link(ctx: &Ctx) -> Result<String> {
    let token = random_token();
    let mut tx = ctx.begin().await?;
    if store::principals::has_admin(&mut tx).await? {
        return Err(Error::conflict("already_set_up", "There is an administrator already, so there is nothing to set up."));
    }
    store::principals::replace_setup_link(&mut tx, &digest(&token)).await?;
    ctx.audit(&mut tx, "setup.link", "", json!({})).await?;
    tx.commit().await?;
    Ok(ctx.services.config.link(&format!("/setup?token={token}")))
}

/// Whether a setup link's token is good.
pub async fn is_good(services: &Services, token: &str) -> Result<bool> {
    let mut db = services.db.acquire().await?;
    Ok(!store::principals::has_admin(&mut db).await? && store::principals::has_setup_link(&mut db, &digest(token)).await?)
}

/// Makes the first administrator from a setup link, and uses the link up.
pub async fn complete(ctx: &Ctx, token: &str, username: &str, password: &Password) -> Result<PrincipalId> {
    if !is_good(&ctx.services, token).await? {
        return Err(Error::Unauthenticated(
            "The setup link is used up or too old; `pillarbox admin setup-link` makes a new one.".into(),
        ));
    }
    let username = checked_username(username)?;
    let hash = checked_password(password)?.hash().await?;
    let mut tx = ctx.begin().await?;
    // Two browsers may hold the link; one of them is the first.
    store::principals::lock_setup(&mut tx).await?;
    if store::principals::has_admin(&mut tx).await? || !store::principals::has_setup_link(&mut tx, &digest(token)).await? {
        return Err(Error::conflict("already_set_up", "The setup was completed a moment ago."));
    }
    let id = store::principals::insert_admin(&mut tx, username, &hash).await?;
    store::principals::delete_setup_links(&mut tx).await?;
    ctx.audit(&mut tx, "admin.create", username, json!({ "by": "setup link" })).await?;
    tx.commit().await?;
    Ok(id)
}

/// Makes an administrator; from the command line.
pub async fn create_admin(ctx: &Ctx, username: &str, password: &Password) -> Result<PrincipalId> {
    let username = checked_username(username)?;
    let hash = checked_password(password)?.hash().await?;
    let mut tx = ctx.begin().await?;
    let id = store::principals::insert_admin(&mut tx, username, &hash).await?;
    store::principals::delete_setup_links(&mut tx).await?;
    ctx.audit(&mut tx, "admin.create", username, json!({})).await?;
    tx.commit().await?;
    Ok(id)
}

fn checked_username(username: &str) -> Result<&str> {
    let username = username.trim();
    let length = username.chars().count();
    if !(1..=64).contains(&length) || username.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Error::invalid("username", "must have 1 to 64 characters without spaces"));
    }
    Ok(username)
}

pub(super) fn checked_password(password: &Password) -> Result<&Password> {
    if !(FEWEST_PASSWORD_CHARACTERS..=MOST_PASSWORD_CHARACTERS).contains(&password.characters()) {
        return Err(Error::invalid(
            "password",
            format!("must have {FEWEST_PASSWORD_CHARACTERS} to {MOST_PASSWORD_CHARACTERS} characters"),
        ));
    }
    Ok(password)
}
