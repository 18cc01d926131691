//! API keys: making, ending, and telling who holds one.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::crypto::{ApiKeyText, digest};
use crate::error::{Error, Result};
use crate::store;
use crate::types::{Address, ApiKey, ApiKeyId, DomainName, Int, Page, Reach, Scope, Scopes, Text};

use super::context::within;
use super::listing::listing;
use super::rates::Pace;
use super::{Caller, Ctx, Effect, Method, Operation, Services, Spec};

listing! {
    /// Lists the API keys, newest first. Their secrets are not stored and cannot be shown again.
    pub struct ListApiKeys {}
}

impl Operation for ListApiKeys {
    type Output = Page<ApiKey>;
    const SPEC: Spec = Spec {
        name: "list_api_keys",
        title: "List API keys",
        rest: (Method::Get, "/api-keys"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<Page<ApiKey>> {
        let page = self.page();
        let mut db = ctx.services.db.acquire().await?;
        let rows = store::api_keys::list(&mut db, None, page.after()?, page.fetch(), page.skip()).await?;
        Ok(Page::new(rows, &page, |row| row.id))
    }
}

/// Makes an API key. The answer shows it once; it is stored as a digest only.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct CreateApiKey {
    /// What people call it.
    pub name: Text<100>,
    /// What it may do; without a list, everything.
    #[serde(default)]
    pub scopes: Option<Vec<Scope>>,
    /// After how many days it is refused; without, never.
    #[serde(default)]
    pub expires_in_days: Option<Int<1, 3650>>,
    /// The domains that it sees, with all their mailboxes. Without these and `mailboxes` it sees everything.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub domains: Option<Vec<DomainName>>,
    /// The mailboxes that it sees, besides those of its domains. They need not exist yet.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub mailboxes: Option<Vec<Address>>,
    /// How many reads it has a minute, on each node; 600 by default.
    #[serde(default)]
    pub reads_per_minute: Option<Int<1, 1_000_000>>,
    /// How many writes it has a minute, on each node; 120 by default.
    #[serde(default)]
    pub writes_per_minute: Option<Int<1, 1_000_000>>,
}

impl CreateApiKey {
    fn reach(&self) -> Reach {
        match (&self.domains, &self.mailboxes) {
            (None, None) => Reach::All,
            (domains, mailboxes) => {
                Reach::Only { domains: domains.clone().unwrap_or_default(), mailboxes: mailboxes.clone().unwrap_or_default() }
            }
        }
    }
}

/// A key that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedApiKey {
    /// The whole key. It is not shown again.
    pub key: String,
    /// What lists show of it.
    pub api_key: ApiKey,
}

impl Operation for CreateApiKey {
    type Output = CreatedApiKey;
    const SPEC: Spec = Spec {
        name: "create_api_key",
        title: "Make an API key",
        rest: (Method::Post, "/api-keys"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Write,
        audit: Some("api_key.create"),
    };

    async fn run(self, ctx: &Ctx) -> Result<CreatedApiKey> {
        if self.name.as_str().is_empty() {
            return Err(Error::invalid("name", "is empty; say what the key is for"));
        }
        let reach = self.reach();
        let scopes = self.scopes.map_or(Scopes::All, |mut list| {
            list.sort_unstable();
            list.dedup();
            Scopes::Only(list)
        });
        check_no_more_than_own(ctx, &scopes)?;
        let key = ApiKeyText::generate();
        let salt: [u8; 16] = rand::random();
        let id = ApiKeyId::generate();
        let mut tx = ctx.begin().await?;
        let new = store::api_keys::New {
            id,
            name: self.name.as_str(),
            prefix: &key.prefix,
            salt: &salt,
            secret_digest: &key.salted_digest(&salt),
            scopes: scopes.to_stored(),
            reach: &reach,
            reads_per_minute: self.reads_per_minute.map(Int::get),
            writes_per_minute: self.writes_per_minute.map(Int::get),
            created_by: ctx.caller.name(),
            expires_in_days: self.expires_in_days.map(Int::get),
        };
        store::api_keys::insert(&mut tx, &new).await?;
        let made = store::api_keys::list(&mut tx, Some(id), None, 1, 0).await?.pop();
        let api_key = made.ok_or_else(|| Error::Internal(anyhow::anyhow!("a key that was just made is not there")))?;
        let detail = json!({
            "name": self.name, "scopes": api_key.scopes, "domains": api_key.domains, "mailboxes": api_key.mailboxes,
        });
        ctx.commit::<Self>(tx, &api_key.prefix, detail).await?;
        Ok(CreatedApiKey { key: key.reveal(), api_key })
    }
}

/// A key makes only keys that may no more than itself.
fn check_no_more_than_own(ctx: &Ctx, wanted: &Scopes) -> Result<()> {
    let Caller::Key { scopes: Scopes::Only(own), .. } = &ctx.caller else { return Ok(()) };
    match wanted {
        Scopes::Only(list) if list.iter().all(|scope| own.contains(scope)) => Ok(()),
        _ => Err(Error::invalid("scopes", "has scopes that the key which asks does not have itself")),
    }
}

/// Revokes an API key: it is refused at once, and stays in the list.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RevokeApiKey {
    /// The key's id.
    pub id: ApiKeyId,
}

impl Operation for RevokeApiKey {
    type Output = ApiKey;
    const SPEC: Spec = Spec {
        name: "revoke_api_key",
        title: "Revoke an API key",
        rest: (Method::Post, "/api-keys/{id}/revoke"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Destructive,
        audit: Some("api_key.revoke"),
    };

    async fn run(self, ctx: &Ctx) -> Result<ApiKey> {
        let mut tx = ctx.begin().await?;
        store::api_keys::revoke(&mut tx, self.id).await?;
        let key = store::api_keys::list(&mut tx, Some(self.id), None, 1, 0).await?.pop().ok_or_else(|| unknown_key(self.id))?;
        ctx.commit_and_forget::<Self>(tx, &key.prefix, json!({ "name": key.name })).await?;
        Ok(key)
    }
}

/// Removes an API key from the list; it is refused at once.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct DeleteApiKey {
    /// The key's id.
    pub id: ApiKeyId,
}

/// Says what was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedApiKey {
    /// The key's id.
    pub id: ApiKeyId,
    /// Always true.
    pub deleted: bool,
}

impl Operation for DeleteApiKey {
    type Output = DeletedApiKey;
    const SPEC: Spec = Spec {
        name: "delete_api_key",
        title: "Remove an API key",
        rest: (Method::Delete, "/api-keys/{id}"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Destructive,
        audit: Some("api_key.delete"),
    };

    async fn run(self, ctx: &Ctx) -> Result<DeletedApiKey> {
        let mut tx = ctx.begin().await?;
        let key = store::api_keys::list(&mut tx, Some(self.id), None, 1, 0).await?.pop().ok_or_else(|| unknown_key(self.id))?;
        store::api_keys::delete(&mut tx, self.id).await?;
        ctx.commit_and_forget::<Self>(tx, &key.prefix, json!({ "name": key.name })).await?;
        Ok(DeletedApiKey { id: self.id, deleted: true })
    }
}

fn unknown_key(id: ApiKeyId) -> Error {
    Error::not_found("api_key", format!("There is no API key {id}."))
}

/// Keys that were found good a moment ago, by the digest of the whole key.
#[derive(Debug, Clone)]
pub(super) struct KeyCache(Cache<Vec<u8>, Caller>);

impl KeyCache {
    pub(super) fn new() -> Self {
        // Other nodes tell of a revocation at once; the second is for the case that the word gets lost.
        Self(Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(1)).build())
    }

    pub(super) async fn forget(&self) {
        self.0.invalidate_all();
        self.0.run_pending_tasks().await;
    }
}

/// Tells who holds a key. The same answer for a key that is unknown, altered, expired or revoked.
pub async fn authenticate(services: &Services, key: &str) -> Result<Caller> {
    let whole = digest(key);
    if let Some(caller) = services.keys.0.get(&whole).await {
        return Ok(caller);
    }
    let caller = within(Duration::from_secs(10), look_up(services, key)).await?.ok_or_else(refused)?;
    services.keys.0.insert(whole, caller.clone()).await;
    Ok(caller)
}

async fn look_up(services: &Services, key: &str) -> Result<Option<Caller>> {
    let Some(key) = ApiKeyText::parse(key) else { return Ok(None) };
    let mut db = services.db.acquire().await?;
    let Some(found) = store::api_keys::find_by_prefix(&mut db, &key.prefix).await? else { return Ok(None) };
    if !key.matches(&found.salt, &found.secret_digest) || found.is_revoked || found.is_expired {
        return Ok(None);
    }
    if found.is_use_stale {
        store::api_keys::note_use(&mut db, found.id).await?;
    }
    let reach = Reach::from_stored(found.reach_domains.as_deref(), found.reach_mailboxes.as_deref());
    Ok(Some(Caller::Key {
        id: found.id,
        name: found.name,
        scopes: Scopes::from_stored(found.scopes.as_deref()),
        reach: Arc::new(reach),
        pace: Pace::from_stored(found.reads_per_minute, found.writes_per_minute),
    }))
}

fn refused() -> Error {
    Error::Unauthenticated("The API key is not valid: it is mistyped, expired, revoked or deleted.".into())
}
