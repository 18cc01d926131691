-- Background work that one node at a time does, and who changed the runtime settings.

create table jobs (
    name text primary key,
    next_run_at timestamptz not null default now(),
    -- Grows with each claim: who holds an older one has lost the job.
    epoch bigint not null default 0,
    claimed_by text,
    claimed_until timestamptz,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    -- Null while the last run was a success.
    last_error text,
    failures_in_a_row integer not null default 0,
    -- What the last success did.
    last_result jsonb not null default '{}'
);

-- The runtime settings are one row, "runtime", with those fields that somebody set.
alter table settings add column updated_by text not null default '';
