-- Verdicts about senders: what was found out, what a domain does with mail that fails, and whose codes a mailbox gives out.

-- SPF, DKIM, DMARC, ARC, reverse DNS and lists, as one document; null where the sender was not checked.
alter table contents add column auth jsonb;

-- What becomes of mail whose author's domain disowns it.
alter table domains add column auth_policy text not null default 'accept'
    constraint domains_auth_policy_check check (auth_policy in ('accept', 'quarantine', 'reject'));

-- From which senders codes and links are given out.
alter table mailboxes add column sender_policy text not null default 'any'
    constraint mailboxes_sender_policy_check check (sender_policy in ('any', 'not_failed', 'aligned'));

-- The verdict in one word, for lists and codes.
alter table messages add column sender_trust text not null default 'none'
    constraint messages_sender_trust_check check (sender_trust in ('pass', 'fail', 'none', 'temperror'));
-- Kept apart: in no list and no answer unless asked for, and not in the mailbox's figures.
alter table messages add column is_quarantined boolean not null default false;
create index messages_quarantined_idx on messages (message_id desc) where is_quarantined;

-- Whether a mailbox keeps back the codes and links of a message. PostgreSQL puts it in place.
create function withholds(sender_policy text, sender_trust text) returns boolean
    language sql immutable parallel safe
    return case sender_policy when 'aligned' then sender_trust <> 'pass' when 'not_failed' then sender_trust = 'fail' else false end;
