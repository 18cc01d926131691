-- Sessions that were refused, beside what came in: a day without mail and a day of refusals look different.
alter table hourly_figures add column refused bigint not null default 0;
insert into hourly_figures as f (hour, messages, codes, size_octets, refused)
select date_trunc('hour', began_at), 0, 0, 0, count(*) from smtp_sessions
where outcome in ('refused', 'turned_away') group by 1 order by 1
on conflict (hour) do update set refused = excluded.refused;

-- Which bindings end soon, in all mailboxes.
create index service_bindings_expiry_idx on service_bindings (expires_at) where expires_at is not null;
