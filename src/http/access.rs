//! Who is asking: the key, or the user's token, that a request carries.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::error::{Error, Result};
use crate::operations::rates::{self, Standing};
use crate::operations::{Ctx, Effect, Services, Surface, api_keys, portal};

use super::Origin;

/// The key of `Authorization: Bearer KEY` or `X-API-Key: KEY`; both present must be the same.
pub fn presented_key(headers: &HeaderMap) -> Result<&str> {
    let bearer = one(headers, header::AUTHORIZATION.as_str())?.map(bearer).transpose()?;
    let plain = one(headers, "x-api-key")?.map(str::trim);
    match (bearer, plain) {
        (Some(a), Some(b)) if a != b => {
            Err(Error::invalid("X-API-Key", "differs from the key in Authorization; send one key, in one of the two"))
        }
        (Some(key), _) | (None, Some(key)) => Ok(key),
        (None, None) => Err(Error::Unauthenticated("This needs an API key.".into())),
    }
}

fn bearer(value: &str) -> Result<&str> {
    let (scheme, key) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") || key.trim().is_empty() {
        return Err(Error::Unauthenticated("The Authorization header is not of the form `Bearer KEY`.".into()));
    }
    Ok(key.trim())
}

fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Error::invalid(name, "is there twice")),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| Error::Unauthenticated("The API key has characters that no key has.".into()))
        }
    }
}

/// The request of a caller with a key, or with a user's token in its place.
pub async fn context(services: &Services, origin: &Origin, headers: &HeaderMap, surface: Surface) -> Result<Ctx> {
    let key = presented_key(headers)?;
    let caller = if portal::is_user_token(key) {
        portal::authenticate_user(services, key).await?
    } else {
        api_keys::authenticate(services, key).await?
    };
    Ok(Ctx { services: services.clone(), caller, surface, request_id: origin.request_id.clone(), remote: origin.remote })
}

/// Counts a request against the pace of its caller. The standing belongs into the answer, whatever that is.
pub async fn count(ctx: &Ctx, effect: Effect) -> (Option<Standing>, Result<()>) {
    let standing = rates::count(&ctx.services, &ctx.caller, effect).await;
    let admitted = standing.as_ref().map_or(Ok(()), Standing::admit);
    (standing, admitted)
}

/// Writes how a key stands into an answer (draft-ietf-httpapi-ratelimit-headers).
pub fn write_standing(standing: Option<&Standing>, headers: &mut HeaderMap) {
    let Some(standing) = standing else { return };
    let Standing { bucket, per_minute, remaining, full_after_seconds, .. } = standing;
    let fields = [
        ("ratelimit-policy", format!("\"{bucket}\";q={per_minute};w=60")),
        ("ratelimit", format!("\"{bucket}\";r={remaining};t={full_after_seconds}")),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
