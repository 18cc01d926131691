-- The first schema: accounts, keys, domains, mailboxes, messages, the audit log, and what intake needs to be exact.
-- Text is compared bytewise; addresses and names are stored in the one form in which they are compared.

create table principals (
    principal_id uuid primary key,
    kind text not null constraint principals_kind_check check (kind in ('admin', 'user')),
    username text not null constraint principals_username_key unique,
    password_hash text,
    is_active boolean not null default true,
    note text not null default '',
    created_at timestamptz not null default now(),
    last_login_at timestamptz
);

-- A browser's session: the cookie holds a token, the table its digest.
create table sessions (
    session_id uuid primary key,
    token_digest bytea not null constraint sessions_token_digest_key unique,
    principal_id uuid not null references principals on delete cascade,
    remote_address text not null,
    user_agent text not null,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index sessions_principal_id_idx on sessions (principal_id);

-- One-time links, such as the one that sets the first password.
create table one_time_links (
    token_digest bytea primary key,
    purpose text not null constraint one_time_links_purpose_check check (purpose in ('setup')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);

create table api_keys (
    api_key_id uuid primary key,
    name text not null,
    -- The eight characters after sk_live_, by which a key is found.
    prefix text not null constraint api_keys_prefix_key unique,
    salt bytea not null,
    secret_digest bytea not null,
    -- Null means every scope.
    scopes text[],
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

create table domains (
    domain_id uuid primary key,
    name text not null constraint domains_name_key unique,
    is_default boolean not null default false,
    unknown_policy text not null default 'reject'
        constraint domains_unknown_policy_check check (unknown_policy in ('reject', 'collect', 'deliver')),
    unknown_mailbox_id uuid,
    created_at timestamptz not null default now(),
    constraint domains_unknown_mailbox_check check ((unknown_policy = 'deliver') = (unknown_mailbox_id is not null))
);
create unique index domains_default_key on domains (is_default) where is_default;

create table mailboxes (
    mailbox_id uuid primary key,
    address text not null constraint mailboxes_address_key unique,
    domain_id uuid not null constraint mailboxes_domain_id_fkey references domains,
    -- collected: nobody made it; mail for an unknown address of a collecting domain lies here until somebody does.
    lifecycle text not null default 'active'
        constraint mailboxes_lifecycle_check check (lifecycle in ('active', 'disabled', 'trashed', 'collected')),
    note text not null default '',
    password_hash text,
    -- The password again, sealed, so that an operator may reveal it.
    sealed_password bytea,
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    trashed_at timestamptz,
    trashed_by text,
    constraint mailboxes_trashed_check check ((lifecycle = 'trashed') = (trashed_at is not null))
);
create index mailboxes_domain_id_idx on mailboxes (domain_id, mailbox_id);
create index mailboxes_trashed_idx on mailboxes (trashed_at, mailbox_id) where lifecycle = 'trashed';
alter table domains add constraint domains_unknown_mailbox_id_fkey foreign key (unknown_mailbox_id) references mailboxes;

-- Kept by the write, so that no reader counts. Each writer has a slot of its own: two batches that reach the same
-- mailbox do not wait for each other's fsync. A mailbox's figures are the sums of its slots.
create table mailbox_counts (
    mailbox_id uuid not null references mailboxes on delete cascade,
    slot smallint not null,
    messages bigint not null default 0,
    unread bigint not null default 0,
    primary key (mailbox_id, slot)
) with (fillfactor = 50);

-- The octets of a message, shared by all recipients of one transaction.
create table contents (
    content_id uuid primary key,
    sha256 bytea not null,
    size_octets bigint not null,
    -- The fields that this server put on top, kept apart from what was sent.
    trace text not null,
    -- Envelope and session facts: reverse_path, helo, remote, protocol, tls.
    envelope jsonb not null,
    encoding text not null constraint contents_encoding_check check (encoding in ('plain', 'zstd')),
    octets bytea not null
);
-- Compressed already, or not worth it.
alter table contents alter column octets set storage external;

create table messages (
    message_id uuid primary key,
    mailbox_id uuid not null constraint messages_mailbox_id_fkey references mailboxes,
    content_id uuid not null constraint messages_content_id_fkey references contents,
    received_at timestamptz not null default now(),
    recipient text not null,
    subject text not null,
    from_address text not null,
    from_name text not null,
    preview text not null,
    size_octets bigint not null,
    attachment_count integer not null,
    -- The best answers, for the hottest queries; all candidates with their evidence are in extraction.
    code text,
    code_confidence real,
    link text,
    extraction jsonb,
    defects text[] not null default '{}',
    is_read boolean not null default false,
    read_at timestamptz,
    is_starred boolean not null default false
);
create index messages_mailbox_idx on messages (mailbox_id, message_id desc);
create index messages_content_id_idx on messages (content_id);
create index messages_starred_idx on messages (mailbox_id, message_id desc) where is_starred;

-- A server's process, while it runs. A run that a newer run of the same node replaced, or that is silent, is dead.
create table nodes (
    node_id text primary key,
    run_id uuid not null,
    last_seen_at timestamptz not null default now()
);

-- Transactions whose 250 the peer is not known to have got (RFC 1047). The row is written with the message and taken away
-- after the peer went on. What a dead run left, or a session that broke off, is recognised when the peer sends it again.
create table unconfirmed_deliveries (
    content_id uuid primary key,
    run_id uuid not null,
    -- Of envelope and content.
    fingerprint bytea not null,
    is_abandoned boolean not null default false,
    created_at timestamptz not null default now()
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);

create table settings (
    name text primary key,
    value jsonb not null,
    updated_at timestamptz not null default now()
);

create table audit_log (
    audit_id uuid primary key,
    at timestamptz not null default now(),
    actor_kind text not null,
    actor_id text,
    actor_name text not null,
    surface text not null,
    action text not null,
    target text not null,
    outcome text not null,
    remote_address text,
    request_id text,
    detail jsonb not null default '{}'
);
create index audit_log_action_idx on audit_log (action, audit_id desc);
