//! Runtime settings.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::store;
use crate::types::{Scope, Settings, SettingsState};

use super::{Ctx, Effect, Method, Operation, Services, Spec};

pub use crate::types::UpdateSettings;

/// Gets the runtime settings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetSettings {}

impl Operation for GetSettings {
    type Output = SettingsState;
    const SPEC: Spec = Spec {
        name: "get_settings",
        title: "Get the settings",
        rest: (Method::Get, "/settings"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Read,
        audit: None,
    };

    async fn run(self, ctx: &Ctx) -> Result<SettingsState> {
        let mut db = ctx.services.db.acquire().await?;
        store::settings::read(&mut db).await
    }
}

impl Operation for UpdateSettings {
    type Output = SettingsState;
    const SPEC: Spec = Spec {
        name: "update_settings",
        title: "Change the settings",
        rest: (Method::Patch, "/settings"),
        scope: Scope::SettingsAdmin,
        effect: Effect::Write,
        audit: Some("settings.update"),
    };

    fn time_limit(&self) -> Duration {
        // The sealed copies of many passwords may have to go.
        Duration::from_mins(2)
    }

    async fn run(self, ctx: &Ctx) -> Result<SettingsState> {
        let mut tx = ctx.begin().await?;
        store::settings::lock(&mut tx).await?;
        let before = store::settings::read(&mut tx).await?;
        if self.version.as_ref().is_some_and(|version| version.as_str() != before.version) {
            let by = before.updated_by.unwrap_or_default();
            return Err(Error::conflict("settings_changed", format!("The settings were changed meanwhile, by {by}.")));
        }
        let given = self.given();
        if given.is_empty() {
            return Ok(before);
        }
        store::settings::write(&mut tx, &given, ctx.caller.name()).await?;
        if self.keep_readable_passwords == Some(false) {
            store::portal::forget_readable_passwords(&mut tx).await?;
        }
        let after = store::settings::read(&mut tx).await?;
        let detail = json!({ "from": changed(&before.settings, &given), "to": given });
        ctx.commit_and_forget::<Self>(tx, "settings", detail).await?;
        Ok(after)
    }
}

/// What the fields that change were before.
fn changed(before: &Settings, given: &serde_json::Map<String, Value>) -> Value {
    let before = serde_json::to_value(before).unwrap_or_default();
    given.keys().map(|name| (name.clone(), before.get(name).cloned().unwrap_or_default())).collect()
}

/// The settings as they were read a moment ago.
#[derive(Debug, Clone, Default)]
pub(super) struct SettingsCache(Arc<RwLock<Option<Read>>>);

/// When the settings were read, and what they were.
type Read = (Instant, Arc<Settings>);

/// Other nodes tell of a change at once; this is for the case that the word gets lost.
const BELIEVED: Duration = Duration::from_secs(5);

impl SettingsCache {
    pub(super) fn forget(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn known(&self) -> Option<Arc<Settings>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(since, _)| since.elapsed() < BELIEVED).map(|(_, settings)| Arc::clone(settings))
    }
}

impl Services {
    /// The runtime settings; read from the database when they were changed, or after some seconds.
    pub async fn settings(&self) -> Result<Arc<Settings>> {
        if let Some(known) = self.settings.known() {
            return Ok(known);
        }
        let mut db = self.db.acquire().await?;
        let read = Arc::new(store::settings::read(&mut db).await?.settings);
        *self.settings.0.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&read)));
        Ok(read)
    }
}
