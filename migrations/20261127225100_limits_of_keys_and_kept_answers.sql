-- Keys that see a part of the installation only, with a pace of their own; and the answers to requests that carry an
-- Idempotency-Key, so that a request that is sent again is not done again.

alter table api_keys
    -- Both null: the key sees everything. Else it sees these domains with all their mailboxes, and these mailboxes.
    add column reach_domains text[],
    add column reach_mailboxes text[],
    -- Null: the installation's default.
    add column reads_per_minute integer constraint api_keys_reads_per_minute_check check (reads_per_minute > 0),
    add column writes_per_minute integer constraint api_keys_writes_per_minute_check check (writes_per_minute > 0);

create table kept_answers (
    -- The key that asked.
    api_key_id uuid not null references api_keys on delete cascade,
    idempotency_key text not null,
    -- Of route and input: the same word for another request is a mistake of the caller.
    fingerprint bytea not null,
    started_at timestamptz not null default now(),
    -- Both null while the request is being done.
    status smallint,
    -- Sealed, because an answer may hold a password that is stored nowhere else.
    sealed_body bytea,
    primary key (api_key_id, idempotency_key),
    constraint kept_answers_status_check check ((status is null) = (sealed_body is null))
);
create index kept_answers_started_at_idx on kept_answers (started_at);
