-- Who may receive: aliases, subdomains that a domain stands for, and where postmaster and abuse land.

alter table domains
    -- Mail for an address of any subdomain is mail for the same address of this domain.
    add column takes_subdomains boolean not null default false,
    -- Where mail for postmaster and abuse lands while nobody made these mailboxes. Null: it is collected.
    add column postmaster_mailbox_id uuid
        constraint domains_postmaster_mailbox_id_fkey references mailboxes on delete set null;

-- Another address of mailboxes.
create table aliases (
    alias_id uuid primary key,
    address text not null constraint aliases_address_key unique,
    domain_id uuid not null constraint aliases_domain_id_fkey references domains,
    note text not null default '',
    created_by text not null,
    created_at timestamptz not null default now()
);
create index aliases_domain_id_idx on aliases (domain_id, address);

create table alias_mailboxes (
    alias_id uuid not null references aliases on delete cascade,
    mailbox_id uuid not null references mailboxes on delete cascade,
    primary key (alias_id, mailbox_id)
);
create index alias_mailboxes_mailbox_id_idx on alias_mailboxes (mailbox_id);
