//! Notifications between nodes. A notification is a hint; the tables are the truth.

use sqlx::PgConnection;

/// Mail came in; the payload names mailboxes.
pub const ARRIVALS: &str = "pillarbox_arrivals";
/// Mailboxes, domains or keys changed; what was remembered of them is to be forgotten.
pub const CHANGES: &str = "pillarbox_changes";

/// Tells all nodes that mail came into these mailboxes.
pub async fn arrivals(db: &mut PgConnection, payload: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_notify($1, $2)", ARRIVALS, payload).execute(db).await?;
    Ok(())
}

/// Tells all nodes, once the transaction commits, that mailboxes, domains or keys changed.
pub async fn changes(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_notify($1, '')", CHANGES).execute(db).await?;
    Ok(())
}
