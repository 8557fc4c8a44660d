-- Up Migration

-- What a user like this one may have been served, by variant: without it an exposure is never learned from.
alter table exposures add column probabilities jsonb;
-- Learning reads a user's decisions one after the other. Partial, so that features that do not learn pay nothing.
create index exposures_learnable on exposures (environment, feature_key, user_id, at) where probabilities is not null;

-- When it came in: events after their window and grace are late.
alter table events add column received_at timestamptz not null default now();

alter table models
  add column target text not null default 'propensity' check (target in ('propensity', 'uplift')),
  add column traffic double precision not null default 0 check (traffic between 0 and 1),
  add column ramped_at timestamptz,
  add column health text not null default 'fresh' check (health in ('fresh', 'warning', 'stopped')),
  add column health_detail text,
  add column checked_at timestamptz,
  add column shadow json;
update models set traffic = 1, ramped_at = trained_at where status = 'live';
-- One challenger at a time.
create unique index models_one_challenger on models (environment, coalesce(feature_key, '')) where status = 'candidate' and traffic > 0;

-- What the hourly check found, newest last.
create table model_checks (
  id bigint generated always as identity primary key,
  environment text not null,
  version text not null,
  at timestamptz not null default now(),
  health text not null check (health in ('fresh', 'warning', 'stopped')),
  detail text,
  report json not null,
  foreign key (environment, version) references models (environment, version) on delete cascade
);
create index model_checks_by_version on model_checks (environment, version, at desc);

-- A bandit's model after the outcomes that came in since it was trained.
create table bandit_states (
  environment text not null,
  version text not null,
  artifact json not null,
  outcomes bigint not null,
  -- Exposures that matured before this moment are in it.
  watermark timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (environment, version),
  foreign key (environment, version) references models (environment, version) on delete cascade
);

alter table training_jobs add column reason text not null default 'request' check (reason in ('request', 'schedule', 'volume', 'drift'));

-- Down Migration

alter table training_jobs drop column reason;
drop table bandit_states, model_checks;
drop index models_one_challenger;
alter table models
  drop column target, drop column traffic, drop column ramped_at, drop column health, drop column health_detail, drop column checked_at,
  drop column shadow;
alter table events drop column received_at;
drop index exposures_learnable;
alter table exposures drop column probabilities;
