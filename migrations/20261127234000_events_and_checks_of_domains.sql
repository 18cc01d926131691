-- What happened, as a list that only grows, and how the DNS of the domains was found.

-- A cursor is (transaction, sequence). A reader passes only rows whose transaction is below
-- pg_snapshot_xmin(pg_current_snapshot()), so that a row committed late is never skipped.
create table events (
    sequence bigint generated always as identity primary key,
    transaction xid8 not null default pg_current_xact_id(),
    event_id uuid not null default gen_random_uuid(),
    kind text not null,
    at timestamptz not null default now(),
    -- What it is about, as far as it concerns them; no reference, since the event outlives what it tells of.
    domain text,
    mailbox_id uuid,
    message_id uuid,
    payload jsonb not null default '{}'
);
create index events_cursor_idx on events (transaction, sequence);
create index events_at_idx on events (at);

create table domain_checks (
    domain_id uuid primary key references domains on delete cascade,
    checked_at timestamptz not null,
    changed_at timestamptz not null,
    state text not null,
    result jsonb not null
);

-- The policy that is served for senders (RFC 8461).
alter table domains add column mta_sts text not null default 'none'
    constraint domains_mta_sts_check check (mta_sts in ('none', 'testing', 'enforce'));

-- What senders report of encryption on the way here (RFC 8460); one row for each domain that a report speaks of.
create table tls_reports (
    tls_report_id uuid primary key,
    domain_id uuid not null references domains on delete cascade,
    organization text not null,
    -- The sender's own name of the report.
    report_name text not null,
    contact text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    succeeded_sessions bigint not null,
    failed_sessions bigint not null,
    -- Kinds of policies, and failures by kind.
    detail jsonb not null,
    -- mail or https.
    came_by text not null,
    received_at timestamptz not null default now(),
    constraint tls_reports_name_key unique (domain_id, organization, report_name)
);
create index tls_reports_received_idx on tls_reports (domain_id, received_at);
