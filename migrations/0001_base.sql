-- Up Migration

-- Every row belongs to an environment. `revision` counts changes of what is served; snapshots reload when it moves.
create table environments (
  key text primary key check (key ~ '^[a-z0-9][a-z0-9_-]{0,49}$'),
  revision bigint not null default 1,
  created_at timestamptz not null default now()
);
insert into environments (key) values ('production');

create table features (
  id bigint generated always as identity primary key,
  environment text not null references environments (key),
  key text not null,
  -- json, not jsonb: jsonb would sort the keys, and the order of variants is the owner's.
  definition json not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (environment, key)
);

-- Immutable history of every write, deletions too (definition null).
create table feature_revisions (
  environment text not null references environments (key),
  feature_id bigint not null,
  feature_key text not null,
  version integer not null,
  definition json,
  actor text not null,
  reason text,
  at timestamptz not null default now(),
  primary key (feature_id, version)
);
create index feature_revisions_by_key on feature_revisions (environment, feature_key, at desc);

create table segments (
  environment text not null references environments (key),
  key text not null,
  name text not null,
  condition json not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (environment, key)
);

-- What users did. Partitioned by month of occurrence; see server/postgres/partitions.ts.
-- A process takes a block of ids at once and gives them out itself; see server/postgres/id-reserve.ts.
create sequence event_id_seq increment by 1000;
create table events (
  id bigint not null default nextval('event_id_seq'),
  environment text not null,
  "timestamp" timestamptz not null,
  user_id text not null,
  feature_key text not null,
  event_type text not null,
  properties jsonb not null default '{}',
  source text,
  event_id text,
  ab_variant text,
  primary key ("timestamp", id)
) partition by range ("timestamp");
create table events_default partition of events default;
create unique index events_by_event_id on events (environment, event_id, "timestamp") where event_id is not null;
create index events_by_user on events (environment, user_id, "timestamp");
create index events_by_feature on events (environment, feature_key, "timestamp");

-- A user's event aggregates, one row an event type: commutative sums, merged without reading.
create table profiles (
  environment text not null,
  user_id text not null,
  event_type text not null,
  count bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  value_sum double precision not null,
  primary key (environment, user_id, event_type)
) with (fillfactor = 80); -- room for updates in place

-- Decisions that were stored. Partitioned by month.
create table exposures (
  decision_id text not null,
  environment text not null,
  at timestamptz not null,
  feature_key text not null,
  feature_version integer not null,
  user_id text not null,
  unit text not null,
  variant text not null,
  enabled boolean not null,
  decision_source text not null,
  reason text not null,
  step text,
  score double precision,
  threshold double precision,
  confidence double precision,
  probability double precision,
  model_version text,
  fallback_from text,
  fallback_cause text,
  features jsonb,
  primary key (at, decision_id)
) partition by range (at);
create table exposures_default partition of exposures default;
create index exposures_by_feature on exposures (environment, feature_key, at);

create table training_jobs (
  job_id uuid primary key default gen_random_uuid(),
  environment text not null references environments (key),
  feature_key text,
  request jsonb not null,
  status text not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  progress double precision not null default 0,
  stage text not null default 'waiting for a worker',
  cancel_requested boolean not null default false,
  attempts integer not null default 0,
  error jsonb,
  result jsonb,
  traceparent text,
  submitted_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);
-- Duplicate requests for one feature share a job.
create unique index training_jobs_one_open on training_jobs (environment, coalesce(feature_key, '')) where status in ('queued', 'running');
create index training_jobs_by_time on training_jobs (environment, submitted_at desc);

create table models (
  environment text not null references environments (key),
  version text not null,
  feature_key text,
  number integer not null,
  status text not null check (status in ('candidate', 'live', 'retired', 'failed')),
  learner text not null,
  trained_at timestamptz not null,
  artifact json not null,
  hash text not null,
  seed bigint not null,
  metrics json not null,
  process json not null,
  verdict text not null,
  job_id uuid references training_jobs (job_id),
  primary key (environment, version)
);
create unique index models_one_live on models (environment, coalesce(feature_key, '')) where status = 'live';
create unique index models_one_per_job on models (job_id) where job_id is not null;
create unique index models_by_number on models (environment, coalesce(feature_key, ''), number);

create table experiments (
  id bigint generated always as identity primary key,
  environment text not null references environments (key),
  name text not null,
  feature_key text not null,
  primary_metric_event text not null,
  min_samples_per_variant integer not null,
  min_lift double precision not null,
  alpha double precision not null default 0.05,
  arms jsonb not null,
  seed text not null,
  enabled boolean not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create unique index experiments_one_running on experiments (environment, feature_key) where enabled;

-- The first exposure of a user to an experiment; later ones change nothing.
create table experiment_exposures (
  experiment_id bigint not null references experiments (id) on delete cascade,
  user_id text not null,
  arm text not null,
  first_at timestamptz not null,
  primary key (experiment_id, user_id)
);

-- Who did what to models, experiments and other things that have no revisions of their own.
create table audit_log (
  id bigint generated always as identity primary key,
  environment text not null,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  subject text not null,
  reason text
);

-- Down Migration

drop table audit_log, experiment_exposures, experiments, models, training_jobs, exposures, profiles, events, segments, feature_revisions, features, environments;
drop sequence event_id_seq;
