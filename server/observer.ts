import type { Decision } from "../core/decision/decision.ts";
import type { Snapshot } from "../core/engine/snapshot.ts";
import type { User } from "../core/strategy.ts";
import { createExposureBuffer, type ExposureBufferOptions } from "./exposure-buffer.ts";
import { createFirstExposures } from "./first-exposures.ts";
import type { LiveDecisions } from "./live-decisions.ts";
import type { DecisionKind, Metrics, Observer } from "./services.ts";
import type { DecisionContext } from "./telemetry/decision-event.ts";
import type { Usage } from "./usage.ts";

export interface ObserverOptions extends ExposureBufferOptions {
  /** Users whose first exposure is remembered in a generation, of which there are two (first-exposures.ts). Default 100,000. */
  readonly generationSize?: number;
  /** Makes decision ids unique beyond this process. Default: 8 random bytes, in hex. */
  readonly idPrefix?: string;
  /** Counts what each feature served lately. Default: nobody does. */
  readonly usage?: Pick<Usage, "series">;
  /** The user as it may be kept until its exposure is written. Default: as it is, for nobody else holds it. */
  readonly keepUser?: (user: User) => User;
  /** Told of every decision while somebody watches. Default: nobody does. */
  readonly live?: Pick<LiveDecisions, "watched" | "tell">;
  /** Tells of every decision as OpenTelemetry has it. Default: nobody does. */
  readonly emit?: (decision: Decision, about: DecisionContext) => void;
}

/** Everything the decisions of a kind have in common, found once. */
interface Kind extends DecisionKind {
  /** Of all kinds seen by this process. */
  readonly number: number;
  readonly evaluations: { add(by: number): void };
  readonly fallbacks: { add(by: number): void } | undefined;
  readonly usage: { add(by: number): void } | undefined;
  /** False: decisions of this kind are not stored. */
  readonly exposes: boolean;
  readonly learns: boolean;
}

/** The kinds seen of one feature, all of its present version. */
interface Kinds {
  readonly version: number | null;
  readonly list: Kind[];
}

/** Kinds of one feature before they are looked up afresh: a model that is replaced hourly must not pile up. */
const MOST_KINDS = 64;

/**
 * Writes each decision once into its event, the counters and the exposures. Stored is the first exposure of a user to the
 * same variant of the same feature version for the same reason on one UTC day (docs/decisions/0043-exposures.md); a feature
 * that does not exist and a user without id are counted and traced, not stored.
 */
export function createObserver(options: ObserverOptions): Observer {
  const { metrics, usage, live, emit, keepUser, generationSize, idPrefix = randomPrefix() } = options;
  const buffer = createExposureBuffer(options);
  const first = createFirstExposures(generationSize === undefined ? {} : { generationSize });
  const repeated = metrics.counter("exposures_repeated_total");
  metrics.gauge("exposures_waiting", () => buffer.waiting);
  const environments = new Map<string, Map<string, Kinds>>();
  const ids = countedIds(idPrefix);
  let kindsSeen = 0;

  const kindOf = (decision: Decision, environment: string, snapshot: Snapshot): Kind => {
    let features = environments.get(environment);
    if (features === undefined) {
      features = new Map();
      environments.set(environment, features);
    }
    const known = decision.feature_version !== null;
    // Keys of features that do not exist come from outside and have no bound: they share one name.
    const feature = known ? decision.feature_key : "unknown";
    let kinds = features.get(known ? feature : "");
    if (kinds === undefined || kinds.version !== decision.feature_version || kinds.list.length > MOST_KINDS) {
      kinds = { version: decision.feature_version, list: [] };
      features.set(known ? feature : "", kinds);
    }
    for (const kind of kinds.list) if (alike(kind.like, decision)) return kind;
    const kind: Kind = {
      like: decision,
      number: kindsSeen++,
      evaluations: metrics.counter("feature_flag_evaluations_total", evaluationLabels(decision, environment, feature)),
      fallbacks: fallbackCounter(metrics, decision, environment, feature),
      usage: known ? usage?.series(environment, feature, decision.variant ?? "") : undefined,
      exposes: known,
      learns: snapshot.features.get(decision.feature_key)?.learns ?? false,
    };
    kinds.list.push(kind);
    return kind;
  };

  return {
    decided: (decision, { environment, user, profile, snapshot, at }) => {
      const id = ids.next();
      const kind = kindOf(decision, environment, snapshot);
      kind.evaluations.add(1);
      kind.fallbacks?.add(1);
      kind.usage?.add(1);
      if (live?.watched) live.tell(decision, { environment, id, at });
      emit?.(decision, { id, environment, snapshot });
      const userId = decision.user_id;
      if (!kind.exposes || userId === null) return { id, kind };
      if (first.knows(userId, kind.number, at)) repeated.add(1);
      else if (buffer.full) buffer.drop();
      else {
        // Only what is kept is remembered: a dropped one is stored when the user comes again.
        first.remember(userId, kind.number);
        const learn = kind.learns ? { user: keepUser?.(user) ?? user, profile, snapshot } : undefined;
        buffer.push({ environment, decision_id: id, at, decision, user_id: userId, learn });
      }
      return { id, kind };
    },
    get backlog() {
      return { waiting: buffer.waiting, dropped: buffer.dropped };
    },
    flush: buffer.flush,
    close: buffer.close,
  };
}

/** Ids to one prefix, which sort as they were given out. Numbers are written out for each 1,000 of them only: that is most of what an id costs. */
function countedIds(prefix: string): { next(): string } {
  const ends = Array.from({ length: 1000 }, (_, at) => String(at).padStart(3, "0"));
  let block = "";
  let blocks = 0;
  let at = ends.length;
  return {
    next: () => {
      if (at === ends.length) {
        block = `${prefix}-${(blocks++).toString(36).padStart(6, "0")}`;
        at = 0;
      }
      return block + ends[at++];
    },
  };
}

function randomPrefix(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Of one feature version, whose variants say the rest. */
function alike(a: Decision, b: Decision): boolean {
  return (
    a.variant === b.variant &&
    a.step === b.step &&
    a.decision_source === b.decision_source &&
    a.reason === b.reason &&
    a.model_version === b.model_version &&
    a.fallback?.cause === b.fallback?.cause &&
    a.fallback?.from === b.fallback?.from &&
    a.experiment?.experiment_id === b.experiment?.experiment_id &&
    a.experiment?.variant === b.experiment?.variant &&
    a.threshold_mode === b.threshold_mode
  );
}

function evaluationLabels(decision: Decision, environment: string, feature: string) {
  const { variant, decision_source: source, reason } = decision;
  return { environment, feature, variant: variant ?? "", source, reason };
}

function fallbackCounter(
  metrics: Pick<Metrics, "counter">,
  { fallback }: Decision,
  environment: string,
  feature: string,
) {
  if (fallback === null) return undefined;
  const { from, cause } = fallback;
  return metrics.counter("feature_flag_fallbacks_total", { environment, feature, from, cause });
}
