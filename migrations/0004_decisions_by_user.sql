-- Up Migration

-- A user's own decisions, newest first, whatever the feature.
create index exposures_by_user on exposures (environment, user_id, at desc);

-- Down Migration

drop index exposures_by_user;
