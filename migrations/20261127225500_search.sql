-- Search. The pieces that a message is found by are cut in the program, so that they do not depend on the database's
-- locale or extensions, and written a moment after acceptance, which therefore costs no more than before.

create sequence message_search_sequence;

create table message_search (
    message_id uuid primary key constraint message_search_message_id_fkey references messages on delete cascade,
    -- The order in which messages became searchable, which is that of lists; 16384 neighbours share a block, whose number is
    -- a piece of each. The newest blocks are looked through first, so that a frequent word costs no more than a rare one.
    sequence bigint not null default nextval('message_search_sequence') constraint message_search_sequence_key unique,
    -- The beginning of the visible text, to show where a word stands.
    text text not null,
    document tsvector not null
);
create index message_search_document_idx on message_search using gin (document);
