-- Up Migration

-- What every server on this database must know and nobody else: made here, once, so that no two can disagree.
create table secrets (
  name text primary key,
  value text not null check (length(value) >= 64)
);
insert into secrets (name, value)
values ('event-streams', replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));
