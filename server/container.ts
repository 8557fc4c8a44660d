/** The only file that knows tsyringe: who is made of what, one instance each, closed in reverse order. */
import "reflect-metadata"; // tsyringe throws on import without it
import process from "node:process";
import { instanceCachingFactory, container as root } from "tsyringe";
import type { LiftStore } from "../core/experiment/lift-store.ts";
import type { ModelCheckStore } from "../core/model/model-check.ts";
import type { DecisionLog } from "../core/off-policy/decision-log.ts";
import type {
  Clock,
  ConfigurationStore,
  EventStore,
  ExperimentStore,
  ExposureStore,
  FeatureStore,
  ModelStore,
  ProfileStore,
  SegmentStore,
  TrainingJobStore,
} from "../core/ports.ts";
import type { Config } from "./config.ts";
import { createLiveDecisions, type LiveDecisions } from "./live-decisions.ts";
import { createObserver } from "./observer.ts";
import { openPlugins } from "./plugin-host.ts";
import { configurationStore } from "./postgres/configuration.ts";
import { databaseSamples } from "./postgres/database-samples.ts";
import { eventStore } from "./postgres/events.ts";
import { experimentStore } from "./postgres/experiments.ts";
import { exposureStore } from "./postgres/exposures.ts";
import { featureStore } from "./postgres/features.ts";
import { liftStore } from "./postgres/lift.ts";
import { decisionLog } from "./postgres/logged-decisions.ts";
import { modelCheckStore } from "./postgres/model-checks.ts";
import { modelStore } from "./postgres/models.ts";
import { profileStore } from "./postgres/profiles.ts";
import { secretStore } from "./postgres/secrets.ts";
import { segmentStore } from "./postgres/segments.ts";
import { dropConnections, openSql, type Sql } from "./postgres/sql.ts";
import { storedDecisions } from "./postgres/stored-decisions.ts";
import { readSystemFacts } from "./postgres/system-facts.ts";
import { trainingJobStore } from "./postgres/training-jobs.ts";
import { profileCache } from "./profile-cache.ts";
import type { Metrics, Observer, ProfileCache, Secrets, Services, Snapshots } from "./services.ts";
import { openSnapshots } from "./snapshots.ts";
import { emitDecision } from "./telemetry/decision-event.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { observeProcess } from "./telemetry/observe-process.ts";
import { createUsage, type Usage } from "./usage.ts";

/** What a server process is made of, and how to close it. */
export interface Assembly {
  readonly services: Services;
  readonly sql: Sql;
  /** Reads the plugins named in `PLUGINS` anew, without a pause in what is served. Never rejects. */
  reloadPlugins(): Promise<void>;
  /** Newest first: snapshots, then what is buffered is written, then the connections close. */
  close(): Promise<void>;
}

const token = <T>(name: string) => Symbol(name) as symbol & { readonly of?: T };

const SQL = token<Sql>("Sql");
const CLOCK = token<Clock>("Clock");
const METRICS = token<Metrics>("Metrics");
const CONFIGURATION = token<ConfigurationStore>("ConfigurationStore");
const FEATURES = token<FeatureStore>("FeatureStore");
const SEGMENTS = token<SegmentStore>("SegmentStore");
const EVENTS = token<EventStore>("EventStore");
const PROFILE_STORE = token<ProfileStore>("ProfileStore");
const PROFILES = token<ProfileCache>("ProfileCache");
const EXPOSURES = token<ExposureStore>("ExposureStore");
const MODELS = token<ModelStore>("ModelStore");
const JOBS = token<TrainingJobStore>("TrainingJobStore");
const EXPERIMENTS = token<ExperimentStore>("ExperimentStore");
const LIFTS = token<LiftStore>("LiftStore");
const DECISIONS = token<DecisionLog>("DecisionLog");
const CHECKS = token<ModelCheckStore>("ModelCheckStore");
const SECRETS = token<Secrets>("Secrets");
const USAGE = token<Usage>("Usage");
const LIVE = token<LiveDecisions>("LiveDecisions");
const OBSERVER = token<Observer>("Observer");

/**
 * Builds the services on a migrated database and loads the plugins named in `config.PLUGINS`.
 *
 * @throws when a plugin cannot be loaded or breaks the contract: the message names it and what is wrong
 */
export async function assemble(config: Config, databaseUrl: string): Promise<Assembly> {
  const container = root.createChildContainer();
  const get = <T>(of: symbol & { readonly of?: T }): T => container.resolve<T>(of);
  const single = <T>(of: symbol & { readonly of?: T }, make: () => T) =>
    container.register<T>(of, { useFactory: instanceCachingFactory(make) });

  const plugins = await openPlugins(config.PLUGINS, process.cwd());
  container.register<Clock>(CLOCK, { useValue: { now: Date.now } });
  single(SQL, () => openSql(databaseUrl));
  single(METRICS, () => createMetrics());
  single(CONFIGURATION, () => configurationStore(get(SQL)));
  single(FEATURES, () => featureStore(get(SQL)));
  single(SEGMENTS, () => segmentStore(get(SQL)));
  single(MODELS, () => modelStore(get(SQL)));
  single(JOBS, () => trainingJobStore(get(SQL)));
  single(EXPERIMENTS, () => experimentStore(get(SQL)));
  single(LIFTS, () => liftStore(get(SQL)));
  single(CHECKS, () => modelCheckStore(get(SQL)));
  single(DECISIONS, () => decisionLog(get(SQL)));
  single(SECRETS, () => secretStore(get(SQL)));
  single(EXPOSURES, () => exposureStore(get(SQL)));
  single(PROFILE_STORE, () => profileStore(get(SQL)));
  single(PROFILES, () => profileCache(get(PROFILE_STORE), get(CLOCK)));
  single(EVENTS, () =>
    eventStore(get(SQL), {
      metrics: get(METRICS),
      onStored: (environment, users) => get(PROFILES).forget(environment, users),
    }),
  );
  single(USAGE, () => createUsage());
  single(LIVE, () => createLiveDecisions());
  single(OBSERVER, () =>
    createObserver({
      exposures: get(EXPOSURES),
      metrics: get(METRICS),
      usage: get(USAGE),
      live: get(LIVE),
      emit: emitDecision,
    }),
  );

  const { strategies } = plugins;
  // Of its own, so that it tells a database that does not answer from one that is busy with our queries.
  const probe = openSql(databaseUrl, { max: 1 });
  const snapshots: Snapshots = await openSnapshots({
    configuration: get(CONFIGURATION),
    probe: configurationStore(probe),
    onSilence: () => {
      dropConnections(probe);
      dropConnections(get(SQL));
    },
    strategies,
    clock: get(CLOCK),
    metrics: get(METRICS),
  });
  get(METRICS).collect(databaseSamples(get(SQL)));
  // Read now, so that a decision that tells of streams never waits for it. A failure is met when it is asked for.
  get(SECRETS)
    .eventStreamKey()
    .catch(() => {});
  const observed = observeProcess(get(METRICS));
  const services: Services = {
    config,
    clock: get(CLOCK),
    snapshots,
    observer: get(OBSERVER),
    profiles: get(PROFILES),
    strategies,
    metrics: get(METRICS),
    configuration: get(CONFIGURATION),
    features: get(FEATURES),
    segments: get(SEGMENTS),
    events: get(EVENTS),
    exposures: get(EXPOSURES),
    profileStore: get(PROFILE_STORE),
    models: get(MODELS),
    jobs: get(JOBS),
    experiments: get(EXPERIMENTS),
    decisions: get(DECISIONS),
    storedDecisions: storedDecisions(get(SQL)),
    usage: get(USAGE),
    live: get(LIVE),
    systemFacts: () => readSystemFacts(get(SQL)),
    lifts: get(LIFTS),
    checks: get(CHECKS),
    secrets: get(SECRETS),
  };
  return {
    services,
    sql: get(SQL),
    reloadPlugins: () => plugins.reload(snapshots.recompile),
    async close() {
      observed.stop();
      await snapshots.close();
      services.live.close();
      services.usage.close();
      await services.observer.close();
      await plugins.close();
      await Promise.all([probe.end({ timeout: 5 }), get(SQL).end({ timeout: 5 })]);
      container.clearInstances();
    },
  };
}
