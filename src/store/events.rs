//! What happened: a list that only grows.

use serde_json::Value;
use sqlx::PgConnection;

use crate::error::Result;
use crate::types::DomainName;

/// Writes down that something about a domain changed.
pub async fn domain(db: &mut PgConnection, kind: &str, domain: &DomainName, payload: &Value) -> Result<()> {
    sqlx::query!("insert into events (kind, domain, payload) values ($1, $2, $3)", kind, domain.as_str(), payload)
        .execute(db)
        .await?;
    Ok(())
}
