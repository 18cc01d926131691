//! Figures over time: what came in, by the hour.

use sqlx::PgConnection;

use crate::error::Result;
use crate::types::Timestamp;

/// Counts the messages and the refused sessions of the last hours anew; later counts never lower what was there, so that removed messages stay counted.
pub async fn roll_up(db: &mut PgConnection, hours: i32) -> Result<i64> {
    let done = sqlx::query!(
        "with since as (
             -- Ids sort by time: a UUID of version 7 begins with its milliseconds (RFC 9562 section 5.7).
             select (lpad(to_hex((extract(epoch from date_trunc('hour', now()) - make_interval(hours => $1)) * 1000)::bigint),
                 12, '0') || '00000000000000000000')::uuid as id
         ), recent as (
             select date_trunc('hour', received_at) as hour, 1 as message, (code is not null)::int as code, size_octets,
                 0 as refused
             from messages where message_id >= (select id from since)
             union all
             select date_trunc('hour', began_at), 0, 0, 0, 1 from smtp_sessions
             where outcome in ('refused', 'turned_away') and smtp_session_id >= (select id from since)
         )
         insert into hourly_figures as f (hour, messages, codes, size_octets, refused)
         select hour, sum(message), sum(code), sum(size_octets)::bigint, sum(refused) from recent group by hour order by hour
         on conflict (hour) do update set messages = greatest(f.messages, excluded.messages),
             codes = greatest(f.codes, excluded.codes), size_octets = greatest(f.size_octets, excluded.size_octets),
             refused = greatest(f.refused, excluded.refused)",
        hours,
    )
    .execute(db)
    .await?;
    Ok(i64::try_from(done.rows_affected()).unwrap_or(i64::MAX))
}

/// The figures of one hour or day.
#[derive(Debug)]
#[expect(missing_docs, reason = "documented on the operation's output")]
pub struct Point {
    pub at: Timestamp,
    pub messages: i64,
    pub codes: i64,
    pub size_octets: i64,
    pub refused: i64,
}

/// Figures by `hour` or `day` (UTC), the oldest first, with a row also where nothing came in.
pub async fn series(db: &mut PgConnection, unit: &str, count: i32) -> Result<Vec<Point>> {
    let rows = sqlx::query_as!(
        Point,
        r#"select g.at as "at!: Timestamp", coalesce(sum(f.messages), 0)::bigint as "messages!",
               coalesce(sum(f.codes), 0)::bigint as "codes!", coalesce(sum(f.size_octets), 0)::bigint as "size_octets!",
               coalesce(sum(f.refused), 0)::bigint as "refused!"
           from generate_series(date_trunc($1, now(), 'UTC') - ($2::int - 1) * ('1 ' || $1)::interval,
               date_trunc($1, now(), 'UTC'), ('1 ' || $1)::interval) g (at)
           left join hourly_figures f on f.hour >= g.at and f.hour < g.at + ('1 ' || $1)::interval
           group by g.at order by g.at"#,
        unit,
        count,
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}
