-- Up Migration

-- Of stopped models, what their steps fall back with.
alter table models add column health_cause text check (health_cause in ('stale_model', 'drifted_model'));
update models set health_cause = 'drifted_model' where health = 'stopped';

-- Down Migration

alter table models drop column health_cause;
