-- The ledger of SMTP sessions, also of those that stored nothing: the first question about mail that did not come is whether
-- its sender was here, and what it heard. Rows are added, read and, by age, deleted; nothing refers to them, and the key sorts
-- by time, so that the table may be partitioned by ranges of its key one day.
create table smtp_sessions (
    -- Of version 7: its time is that of the connection.
    smtp_session_id uuid primary key,
    began_at timestamptz not null,
    ended_at timestamptz not null,
    address inet not null,
    -- The proxy that the connection came through.
    proxy inet,
    reverse_name text,
    helo text not null,
    -- Version and cipher suite.
    tls text,
    stage text not null,
    outcome text not null,
    reason text not null,
    reply_code smallint not null,
    reply_text text not null,
    octets_in bigint not null,
    octets_out bigint not null,
    commands integer not null,
    errors integer not null,
    messages integer not null,
    recipients_named integer not null,
    -- What was said in each transaction; bounded.
    transactions jsonb not null,
    -- Out of the transactions, to search by; bounded, in lower case.
    senders text[] not null,
    recipients text[] not null,
    reply_codes smallint[] not null,
    content_ids uuid[] not null
) with (autovacuum_vacuum_insert_scale_factor = 0.05);
create index smtp_sessions_address_idx on smtp_sessions (address, smtp_session_id desc);
create index smtp_sessions_outcome_idx on smtp_sessions (outcome, smtp_session_id desc);
create index smtp_sessions_senders_idx on smtp_sessions using gin (senders);
create index smtp_sessions_recipients_idx on smtp_sessions using gin (recipients);

-- Peers that are turned away at the greeting for a while. Each node remembers them; the table is how nodes learn of each
-- other's, and how they outlive a restart.
create table smtp_bans (
    smtp_ban_id uuid primary key,
    network cidr not null constraint smtp_bans_network_key unique,
    reason text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index smtp_bans_expires_at_idx on smtp_bans (expires_at);
