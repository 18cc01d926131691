//! Whether the database does its work.

use sqlx::PgConnection;

use crate::error::Result;

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
