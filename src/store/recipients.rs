//! Who receives: the one question that each RCPT asks.

use sqlx::PgConnection;

use crate::types::MailboxId;

/// What is known about an address and its domain.
#[derive(Debug, Clone)]
pub struct Known {
    /// The domain's rule for unknown addresses: `reject`, `collect` or `deliver`.
    pub unknown_policy: String,
    /// Where the rule `deliver` puts them, while that mailbox takes mail.
    pub unknown_mailbox_id: Option<MailboxId>,
    /// The mailbox of the address, else that of its base address.
    pub mailbox_id: Option<MailboxId>,
    /// Whether the mailbox takes mail now: active or collecting, and not expired.
    pub takes_mail: Option<bool>,
    /// No mailbox of these expires within [`STEADY_SECONDS`].
    pub is_steady: bool,
}

/// How far ahead [`Known::is_steady`] looks.
pub const STEADY_SECONDS: u64 = 10;

/// Looks an address up; `base` is the address without its detail. `None` where the domain is not ours.
pub async fn find(db: &mut PgConnection, domain: &str, address: &str, base: &str) -> Result<Option<Known>, sqlx::Error> {
    sqlx::query_as!(
        Known,
        r#"select d.unknown_policy,
               u.mailbox_id as "unknown_mailbox_id?: MailboxId",
               m.mailbox_id as "mailbox_id?: MailboxId",
               m.takes_mail as "takes_mail?",
               -- Of what does not expire, this is null.
               coalesce(least(m.expires_at, u.expires_at) > now() + interval '10 s', true) as "is_steady!"
           from domains d
           left join mailboxes u on u.mailbox_id = d.unknown_mailbox_id and u.lifecycle = 'active'
               and (u.expires_at is null or u.expires_at > now())
           left join lateral (
               select mailbox_id, expires_at,
                   lifecycle in ('active', 'collected') and (expires_at is null or expires_at > now()) as takes_mail
               from mailboxes
               where address in ($2, $3)
               -- The address itself before its base; a collecting row is nobody's and gives way to the base.
               order by lifecycle = 'collected', address = $2 desc limit 1
           ) m on true
           where d.name = $1"#,
        domain,
        address,
        base,
    )
    .fetch_optional(db)
    .await
}

/// The domain that addresses without one belong to.
pub async fn default_domain(db: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select name from domains order by is_default desc, created_at limit 1").fetch_optional(db).await
}
