//! Runtime settings: one row, with the fields that somebody set.

use serde_json::{Map, Value};
use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{Settings, SettingsState, Timestamp};

/// The row's name.
const ROW: &str = "runtime";

/// The settings as they stand.
pub async fn read(db: &mut PgConnection) -> Result<SettingsState> {
    let row =
        sqlx::query!(r#"select value, updated_at as "updated_at: Timestamp", updated_by from settings where name = $1"#, ROW,)
            .fetch_optional(db)
            .await?;
    let Some(row) = row else {
        return Ok(SettingsState { settings: Settings::default(), version: "0".to_owned(), updated_at: None, updated_by: None });
    };
    let stored = row.value.as_object().cloned().unwrap_or_default();
    Ok(SettingsState {
        settings: Settings::from_stored(&stored),
        version: row.updated_at.0.timestamp_micros().to_string(),
        updated_at: Some(row.updated_at),
        updated_by: Some(row.updated_by),
    })
}

/// Waits until no other transaction is changing the settings.
pub async fn lock(db: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('pillarbox settings'))").execute(db).await?;
    Ok(())
}

/// Sets these fields; after [`lock`].
pub async fn write(db: &mut PgConnection, fields: &Map<String, Value>, by: &str) -> Result<()> {
    sqlx::query!(
        "insert into settings (name, value, updated_at, updated_by) values ($1, $2, clock_timestamp(), $3)
         on conflict (name) do update
         set value = settings.value || excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by",
        ROW,
        Value::Object(fields.clone()),
        by,
    )
    .execute(db)
    .await?;
    Ok(())
}
