//! Peers of the SMTP listener that are turned away for a while.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::{SmtpBan, SmtpBanId, Timestamp};

/// Bans a network until a time; where it is banned already, the later end holds.
pub async fn upsert(db: &mut PgConnection, ban: &SmtpBan) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into smtp_bans (smtp_ban_id, network, reason, created_at, expires_at) values ($1, $2::text::cidr, $3, $4, $5)
         on conflict on constraint smtp_bans_network_key do update
         set expires_at = greatest(smtp_bans.expires_at, excluded.expires_at), reason = excluded.reason",
        ban.id as SmtpBanId,
        ban.network,
        ban.reason,
        ban.created_at as Timestamp,
        ban.expires_at as Timestamp,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Bans that hold now, newest first, after `after`.
pub async fn list(db: &mut PgConnection, after: Option<SmtpBanId>, limit: i64, skip: i64) -> Result<Vec<SmtpBan>, sqlx::Error> {
    sqlx::query_as!(
        SmtpBan,
        r#"select smtp_ban_id as "id: SmtpBanId", case when masklen(network) = case family(network) when 4 then 32 else 128 end then host(network) else network::text end as "network!", reason,
               created_at as "created_at: Timestamp", expires_at as "expires_at: Timestamp"
           from smtp_bans where expires_at > now() and ($1::uuid is null or smtp_ban_id < $1)
           order by smtp_ban_id desc limit $2 offset $3"#,
        after as Option<SmtpBanId>,
        limit,
        skip,
    )
    .fetch_all(db)
    .await
}

/// Takes a ban away; answers whom it held for.
pub async fn delete(db: &mut PgConnection, id: SmtpBanId) -> Result<Option<String>> {
    let network = sqlx::query_scalar!(
        r#"delete from smtp_bans where smtp_ban_id = $1 returning case when masklen(network) = case family(network) when 4 then 32 else 128 end then host(network) else network::text end as "network!""#,
        id as SmtpBanId,
    )
    .fetch_optional(db)
    .await?;
    Ok(network)
}

/// Forgets bans that are over.
pub async fn delete_expired(db: &mut PgConnection) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query!("delete from smtp_bans where expires_at < now()").execute(db).await?.rows_affected())
}
