-- Certificates that an authority issued over ACME (RFC 8555), shared by all nodes, and what an order needs meanwhile.

create table certificates (
    certificate_id uuid primary key,
    names text[] not null,
    chain_pem text not null,
    sealed_key bytea not null,
    not_before timestamptz not null,
    not_after timestamptz not null,
    created_at timestamptz not null default now()
);

-- One row for each authority that is, or was, asked.
create table acme_authorities (
    directory text primary key,
    -- Account and its key.
    sealed_account bytea,
    -- One node at a time orders.
    claimed_until timestamptz,
    next_attempt_at timestamptz not null default now(),
    last_attempt_at timestamptz,
    -- Null while the last attempt was a success.
    last_error text,
    failures_in_a_row integer not null default 0
);

-- What the authority fetches from this server (HTTP-01); any node answers.
create table acme_challenges (
    token text primary key,
    key_authorization text not null,
    created_at timestamptz not null default now()
);
