-- People who read mail without being administrators, and what belongs to mailboxes: owners, members, links, services, figures.

-- A user has no password: a token, of which the digest is kept. Its username is made up; people read the display name.
alter table principals
    add column display_name text not null default '',
    add column token_digest bytea constraint principals_token_digest_key unique,
    add column token_made_at timestamptz,
    add column token_expires_at timestamptz;
create index principals_users_idx on principals (principal_id desc) where kind = 'user';

alter table mailboxes
    add column owner_id uuid constraint mailboxes_owner_id_fkey references principals on delete set null,
    add column is_shared boolean not null default false,
    add column last_login_at timestamptz,
    -- Null: as the domain has it.
    add column retention_days integer constraint mailboxes_retention_days_check check (retention_days > 0),
    add constraint mailboxes_owner_check check (not is_shared or owner_id is null);
create index mailboxes_owner_id_idx on mailboxes (owner_id, mailbox_id desc) where owner_id is not null;
create index mailboxes_unassigned_idx on mailboxes (mailbox_id desc) where owner_id is null and not is_shared;
create index mailboxes_shared_idx on mailboxes (mailbox_id desc) where is_shared;
create index mailboxes_expires_at_idx on mailboxes (expires_at) where expires_at is not null;
create index mailboxes_retention_days_idx on mailboxes (retention_days) where retention_days is not null;
-- Null: as the installation has it.
alter table domains add column retention_days integer constraint domains_retention_days_check check (retention_days > 0);

create table mailbox_members (
    mailbox_id uuid not null references mailboxes on delete cascade,
    principal_id uuid not null references principals on delete cascade,
    assigned_at timestamptz not null default now(),
    primary key (mailbox_id, principal_id)
);
create index mailbox_members_principal_id_idx on mailbox_members (principal_id, mailbox_id);

create table access_links (
    access_link_id uuid primary key,
    mailbox_id uuid not null references mailboxes on delete cascade,
    token_digest bytea not null constraint access_links_token_digest_key unique,
    note text not null default '',
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
create index access_links_mailbox_id_idx on access_links (mailbox_id, access_link_id desc);

-- A session is that of an account, of a mailbox's password, or of an access link.
alter table sessions
    alter column principal_id drop not null,
    add column mailbox_id uuid references mailboxes on delete cascade,
    add column access_link_id uuid references access_links on delete cascade,
    add constraint sessions_holder_check check (num_nonnulls(principal_id, mailbox_id, access_link_id) = 1);
create index sessions_mailbox_id_idx on sessions (mailbox_id) where mailbox_id is not null;
create index sessions_access_link_id_idx on sessions (access_link_id) where access_link_id is not null;

create table service_templates (
    service_template_id uuid primary key,
    name text not null,
    login_url text not null,
    note text not null default '',
    -- What the service's codes look like.
    extraction_rules jsonb not null default '{}',
    created_at timestamptz not null default now()
);
create table service_bindings (
    service_binding_id uuid primary key,
    mailbox_id uuid not null references mailboxes on delete cascade,
    service_template_id uuid references service_templates on delete cascade,
    -- Of a binding without a template.
    custom_name text,
    custom_login_url text,
    custom_note text,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    constraint service_bindings_custom_check check ((service_template_id is null) = (custom_name is not null))
);
create unique index service_bindings_template_key on service_bindings (mailbox_id, service_template_id)
    where service_template_id is not null;
create unique index service_bindings_custom_key on service_bindings (mailbox_id, custom_name) where custom_name is not null;
create index service_bindings_template_idx on service_bindings (service_template_id, mailbox_id)
    where service_template_id is not null;

-- What came in, by the hour; rolled up a moment later, so that intake does not wait for it.
create table hourly_figures (
    hour timestamptz primary key,
    messages bigint not null,
    codes bigint not null,
    size_octets bigint not null
);

create index audit_log_actor_idx on audit_log (actor_name, audit_id desc);
create index audit_log_target_idx on audit_log (target, audit_id desc);
