-- Sessions by any code that they heard, the one that decided included.
update smtp_sessions set reply_codes = reply_codes || reply_code where not reply_codes @> array[reply_code];
create index smtp_sessions_reply_codes_idx on smtp_sessions using gin (reply_codes);
