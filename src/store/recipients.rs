//! Who receives: the one question that each RCPT asks.

use sqlx::PgConnection;

use crate::types::MailboxId;

/// What is known about an address and its domain.
#[derive(Debug, Clone)]
pub struct Known {
    /// The domain of ours that the address belongs to: its own, or the nearest one above that takes its subdomains.
    pub domain: String,
    /// The domain's rule for unknown addresses: `reject`, `collect` or `deliver`.
    pub unknown_policy: String,
    /// Where the rule `deliver` puts them, while that mailbox takes mail.
    pub unknown_mailbox_id: Option<MailboxId>,
    /// Where the domain puts mail for postmaster and abuse, while that mailbox takes mail.
    pub postmaster_mailbox_id: Option<MailboxId>,
    /// What the address is, else what its base address is: `mailbox` or `alias`; null for nobody's.
    pub kind: Option<String>,
    /// Whether that was found under the address itself, rather than under its base address.
    pub is_exact: Option<bool>,
    /// Those of its mailboxes that take mail now: active, and not expired.
    pub mailbox_ids: Option<Vec<MailboxId>>,
    /// The mailbox that collects mail for the base address, where one was begun.
    pub collected_id: Option<MailboxId>,
    /// No mailbox of these expires within [`STEADY_SECONDS`].
    pub is_steady: bool,
}

/// How far ahead [`Known::is_steady`] looks.
pub const STEADY_SECONDS: u64 = 10;

/// An address as it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question<'a> {
    /// The address's domain.
    pub domain: &'a str,
    /// The domains above it, nearest first.
    pub above: &'a [String],
    /// The local part.
    pub local: &'a str,
    /// The local part without its detail.
    pub base: &'a str,
}

/// Looks an address up. `None` where no domain of ours is concerned.
pub async fn find(db: &mut PgConnection, asked: &Question<'_>) -> Result<Option<Known>, sqlx::Error> {
    sqlx::query_as!(
        Known,
        r#"select d.name as "domain!", d.unknown_policy as "unknown_policy!",
               u.mailbox_id as "unknown_mailbox_id?: MailboxId",
               p.mailbox_id as "postmaster_mailbox_id?: MailboxId",
               hit.kind as "kind?",
               hit.is_exact as "is_exact?",
               hit.mailbox_ids as "mailbox_ids?: Vec<MailboxId>",
               c.mailbox_id as "collected_id?: MailboxId",
               -- Of what does not expire, this is null.
               coalesce(least(hit.expires_at, u.expires_at, p.expires_at) > now() + interval '10 s', true) as "is_steady!"
           from (
               select * from domains where name = $1 or (takes_subdomains and name = any($2))
               order by length(name) desc limit 1
           ) d
           left join mailboxes u on u.mailbox_id = d.unknown_mailbox_id and u.lifecycle = 'active'
               and (u.expires_at is null or u.expires_at > now())
           left join mailboxes p on p.mailbox_id = d.postmaster_mailbox_id and p.lifecycle = 'active'
               and (p.expires_at is null or p.expires_at > now())
           left join lateral (
               select * from (
                   select 'mailbox' as kind, address = $3 || '@' || d.name as is_exact, expires_at,
                       case when lifecycle = 'active' and (expires_at is null or expires_at > now())
                           then array[mailbox_id] else '{}' end as mailbox_ids
                   from mailboxes
                   where address in ($3 || '@' || d.name, $4 || '@' || d.name) and lifecycle <> 'collected'
                   union all
                   select 'alias', a.address = $3 || '@' || d.name, least_expiry.at, coalesce(least_expiry.ids, '{}')
                   from aliases a, lateral (
                       select min(m.expires_at) as at, array_agg(m.mailbox_id order by m.mailbox_id) as ids
                       from alias_mailboxes t join mailboxes m on m.mailbox_id = t.mailbox_id
                       where t.alias_id = a.alias_id and m.lifecycle = 'active' and (m.expires_at is null or m.expires_at > now())
                   ) least_expiry
                   where a.address in ($3 || '@' || d.name, $4 || '@' || d.name)
               ) found
               -- The address itself before its base, a mailbox before an alias.
               order by is_exact desc, kind = 'mailbox' desc limit 1
           ) hit on true
           left join mailboxes c on c.address = $4 || '@' || d.name and c.lifecycle = 'collected'"#,
        asked.domain,
        asked.above,
        asked.local,
        asked.base,
    )
    .fetch_optional(db)
    .await
}

/// The domain that addresses without one belong to.
pub async fn default_domain(db: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!("select name from domains order by is_default desc, created_at limit 1").fetch_optional(db).await
}

/// A mailbox or an alias that a name stands for, in whatever state it is; for explaining.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// `mailbox` or `alias`.
    pub kind: String,
    /// Its address.
    pub address: String,
    /// A mailbox's lifecycle, `expired` where its time is over; empty for an alias.
    pub state: String,
    /// The mailboxes that it leads to and that take mail now.
    pub mailboxes: Vec<String>,
    /// The mailboxes that it leads to and that take none.
    pub closed: Vec<String>,
}

/// All that stands under these addresses.
pub async fn candidates(db: &mut PgConnection, addresses: &[String]) -> Result<Vec<Candidate>, sqlx::Error> {
    sqlx::query_as!(
        Candidate,
        r#"with open as (
               select mailbox_id, address,
                   case when lifecycle = 'active' and expires_at <= now() then 'expired' else lifecycle end as state
               from mailboxes
           )
           select 'mailbox' as "kind!", address as "address!", state as "state!",
               case when state = 'active' then array[address] else '{}' end as "mailboxes!",
               case when state = 'active' then '{}' else array[address] end as "closed!"
           from open where address = any($1)
           union all
           select 'alias', a.address, '',
               coalesce(array_agg(m.address order by m.address) filter (where m.state = 'active'), '{}'),
               coalesce(array_agg(m.address order by m.address) filter (where m.state <> 'active'), '{}')
           from aliases a
           left join alias_mailboxes t on t.alias_id = a.alias_id
           left join open m on m.mailbox_id = t.mailbox_id
           where a.address = any($1)
           group by a.address"#,
        addresses,
    )
    .fetch_all(db)
    .await
}

/// The addresses of mailboxes.
pub async fn addresses(db: &mut PgConnection, ids: &[MailboxId]) -> Result<Vec<String>, sqlx::Error> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query_scalar!("select address from mailboxes where mailbox_id = any($1) order by address", &ids).fetch_all(db).await
}
