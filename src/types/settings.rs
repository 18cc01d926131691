//! Runtime settings: what an operator changes while the server runs. What a process needs before it has a database stands in
//! `config`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Int, Text, Timestamp};

/// Declares the settings, each once: its documentation, its type with the range, its default.
macro_rules! settings {
    ($($(#[doc = $doc:literal])* $name:ident : $ty:ty = $default:expr),* $(,)?) => {
        /// The runtime settings, all with a value.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct Settings {
            $($(#[doc = $doc])* pub $name: $ty,)*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// Changes runtime settings. What is not given stays as it is; the change holds on all nodes at once.
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct UpdateSettings {
            /// The `version` that the change was made from. Where somebody else changed the settings since, nothing is changed
            /// and the answer is `settings_changed`; without it, the last change wins.
            #[serde(default, skip_serializing)]
            pub version: Option<Text<40>>,
            $(
                $(#[doc = $doc])*
                #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
                pub $name: Option<$ty>,
            )*
        }

        /// The names of all settings.
        pub const SETTING_NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

settings! {
    /// After how many days messages are removed, counted from their arrival; null keeps them for ever. Starred ones are spared.
    /// A domain or a mailbox may have its own.
    retention_days: Option<Int<1, 36_500>> = None,
    /// What becomes of a mailbox whose time is over: `keep` only refuses mail for it, `trash` puts it into the trash, `purge`
    /// removes it with its messages.
    expired_mailboxes: ExpiredMailboxes = ExpiredMailboxes::Trash,
    /// How many hours after its end a mailbox is trashed or purged; until then it can be read and given more time.
    expired_mailbox_grace_hours: Int<0, 87_600> = Int::constant(24),
    /// After how many days in the trash a mailbox is removed with its messages; null keeps it there.
    trash_days: Option<Int<0, 36_500>> = Some(Int::constant(30)),
    /// After how many days rows of the audit log are removed; null keeps them for ever.
    audit_log_days: Option<Int<1, 36_500>> = Some(Int::constant(365)),
    /// After how many days SMTP sessions are removed from the ledger; null keeps them for ever.
    smtp_session_days: Option<Int<1, 36_500>> = Some(Int::constant(30)),
    /// Whether mailbox passwords are also kept in a sealed form that can be shown again. Where this is switched off, the sealed
    /// copies there are are removed, and a forgotten password can only be replaced.
    keep_readable_passwords: bool = true,
}

/// What becomes of a mailbox whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpiredMailboxes {
    /// It stays, and refuses mail.
    Keep,
    /// It goes into the trash.
    Trash,
    /// It is removed with its messages.
    Purge,
}

/// The runtime settings with what is known of the last change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SettingsState {
    /// The settings.
    #[serde(flatten)]
    pub settings: Settings,
    /// Changes with each change; give it to `update_settings`, so that changes of others are noticed.
    #[schemars(extend("examples" = ["1790000000123456"]))]
    pub version: String,
    /// When they were last changed; null where they never were.
    pub updated_at: Option<Timestamp>,
    /// Who changed them last.
    pub updated_by: Option<String>,
}

impl Settings {
    /// Reads the stored form: those fields that somebody set. What this version does not know, or would not allow, is left out.
    pub fn from_stored(stored: &Map<String, Value>) -> Self {
        let mut whole = Map::new();
        for (name, value) in stored {
            let mut with = whole.clone();
            with.insert(name.clone(), value.clone());
            if serde_json::from_value::<Self>(Value::Object(with.clone())).is_ok() {
                whole = with;
            }
        }
        serde_json::from_value(Value::Object(whole)).unwrap_or_default()
    }
}

impl UpdateSettings {
    /// The fields that are given, in stored form.
    pub fn given(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) | Err(_) => Map::new(),
        }
    }
}

/// Tells `null` (given, and nothing) from an absent field.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_a_value_and_what_is_absent_is_not_given() {
        let changes: UpdateSettings = serde_json::from_value(json!({ "trash_days": null, "retention_days": 7 })).expect("valid");
        assert_eq!(Value::Object(changes.given()), json!({ "retention_days": 7, "trash_days": null }));
        let settings = Settings::from_stored(&changes.given());
        assert_eq!((settings.trash_days, settings.retention_days.map(Int::get)), (None, Some(7)));
        assert!(serde_json::from_value::<UpdateSettings>(json!({ "retention_days": 0 })).is_err());
    }

    #[test]
    fn what_is_stored_and_not_understood_leaves_the_default() {
        let stored = json!({ "trash_days": "many", "of_a_later_version": 1, "audit_log_days": 10 });
        let settings = Settings::from_stored(stored.as_object().expect("object"));
        assert_eq!(settings.trash_days, Settings::default().trash_days);
        assert_eq!(settings.audit_log_days.map(Int::get), Some(10));
    }
}
