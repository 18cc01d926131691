//! Whether the database does its work.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::Timestamp;

/// It answers.
pub async fn read(db: &mut PgConnection) -> Result<()> {
    sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(db).await?;
    Ok(())
}

/// It takes a write and commits it.
pub async fn write(db: &mut PgConnection) -> Result<()> {
    sqlx::query!(
        "insert into settings (name, value) values ('last_readiness_check', 'true')
         on conflict (name) do update set updated_at = now()"
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What the database server says of itself.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its version.
    pub version: String,
    /// Its clock.
    pub clock: Timestamp,
    /// The settings on which it depends that a committed message is kept: name and value.
    pub durability: Vec<(String, String)>,
}

/// Asks the server about itself.
pub async fn server(db: &mut PgConnection) -> Result<Server, sqlx::Error> {
    let row = sqlx::query!(r#"select current_setting('server_version') as "version!", clock_timestamp() as "clock!: Timestamp""#)
        .fetch_one(&mut *db)
        .await?;
    let settings = sqlx::query!(
        r#"select name as "name!", setting as "setting!" from pg_settings
           where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name"#
    )
    .fetch_all(db)
    .await?;
    let durability = settings.into_iter().map(|setting| (setting.name, setting.setting)).collect();
    Ok(Server { version: row.version, clock: row.clock, durability })
}
