import type { Exposure } from "../../core/decision/exposure.ts";
import type { ExposureStore } from "../../core/ports.ts";
import { plain, texts, times } from "./array-literal.ts";
import { partitionKeeper } from "./partitions.ts";
import type { Sql, Transaction } from "./sql.ts";
import { transaction } from "./transaction.ts";

/**
 * Exposures in PostgreSQL, one transaction a call. Writing the same exposures again changes nothing, so a caller may
 * repeat a failed call. Decisions that served no variant (unknown feature) are not exposures and are left out.
 *
 * Some are there already only after a call whose answer was lost. So the first attempt does not ask: `on conflict` costs
 * PostgreSQL a third of an insert even when there is none (docs/decisions/0043-exposures.md).
 */
export function exposureStore(sql: Sql): ExposureStore {
  const partitions = partitionKeeper(sql, "exposures");
  return {
    async append(exposures) {
      const served = exposures.filter(isServed);
      if (served.length === 0) return 0;
      await partitions.cover(served.map(({ at }) => at));
      const write = (mayBeThere: boolean) =>
        transaction(sql, async (t) => {
          const inserted = await insertExposures(t, served, mayBeThere);
          await insertExperimentExposures(t, served);
          return inserted;
        });
      return write(false).catch((error: unknown) => {
        if (!isUniqueViolation(error)) throw error;
        return write(true);
      });
    },
  };
}

function isUniqueViolation(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === "23505";
}

type Served = Exposure & { readonly decision: { readonly variant: string; readonly feature_version: number } };

function isServed(exposure: Exposure): exposure is Served {
  return exposure.decision.variant !== null && exposure.decision.feature_version !== null;
}

/**
 * What exposures of one kind share is sent once a kind, not once a row: a batch has thousands of rows and a handful of
 * kinds, and making and reading the texts is most of what an exposure costs this process.
 */
async function insertExposures(t: Transaction, exposures: readonly Served[], mayBeThere: boolean): Promise<number> {
  const { kinds, places } = kindsOf(exposures);
  const column = (read: (exposure: Served) => string | null) => texts(exposures.map((each) => clean(read(each))));
  const number = (read: (exposure: Served) => number | null) => plain(exposures.map(read));
  const shared = (read: (kind: Served) => string | null) => texts(kinds.map((kind) => clean(read(kind))));
  const { count } = await t`
    insert into exposures (
      decision_id, environment, at, feature_key, feature_version, user_id, unit, variant, enabled, decision_source,
      reason, step, score, threshold, confidence, probability, model_version, fallback_from, fallback_cause, features,
      probabilities)
    select
      decision_id, environment, at, feature_key, feature_version, user_id, coalesce(unit, user_id), variant, enabled,
      decision_source, reason, step, score, threshold, confidence, probability, model_version, fallback_from,
      fallback_cause, features::jsonb, probabilities::jsonb
    from unnest(
      ${plain(places)}::text::int[],
      ${column((each) => each.decision_id)}::text::text[],
      ${times(exposures.map(({ at }) => at))}::text::timestamptz[],
      ${column((each) => each.decision.user_id ?? "")}::text::text[],
      ${column(({ unit, decision }) => (unit === decision.user_id ? null : unit))}::text::text[],
      ${number((each) => each.decision.score)}::text::float8[],
      ${number((each) => each.decision.threshold)}::text::float8[],
      ${number((each) => each.decision.confidence)}::text::float8[],
      ${number(propensityOf)}::text::float8[],
      ${texts(exposures.map(({ features }) => (features === null ? null : cleanJson(features))))}::text::text[],
      ${texts(exposures.map(({ probabilities }) => (probabilities === null ? null : cleanJson(probabilities))))}::text::text[])
      as input (place, decision_id, at, user_id, unit, score, threshold, confidence, probability, features, probabilities)
    join unnest(
      ${shared((kind) => kind.environment)}::text::text[],
      ${shared((kind) => kind.decision.feature_key)}::text::text[],
      ${plain(kinds.map((kind) => kind.decision.feature_version))}::text::int[],
      ${shared((kind) => kind.decision.variant)}::text::text[],
      ${plain(kinds.map((kind) => kind.decision.enabled))}::text::boolean[],
      ${shared((kind) => kind.decision.decision_source)}::text::text[],
      ${shared((kind) => kind.decision.reason)}::text::text[],
      ${shared((kind) => kind.decision.step)}::text::text[],
      ${shared((kind) => kind.decision.model_version)}::text::text[],
      ${shared((kind) => kind.decision.fallback?.from ?? null)}::text::text[],
      ${shared((kind) => kind.decision.fallback?.cause ?? null)}::text::text[]) with ordinality
      as kind (
        environment, feature_key, feature_version, variant, enabled, decision_source, reason, step, model_version,
        fallback_from, fallback_cause, number) on kind.number = input.place
    ${mayBeThere ? t`on conflict do nothing` : t``}`;
  return count;
}

/** Over all draws where that is known, so that it goes with what is stored beside it; else what the step said of its own. */
function propensityOf({ decision, probabilities }: Served): number | null {
  return probabilities === null ? decision.probability : (probabilities[decision.variant] ?? 0);
}

/** One exposure of each kind, and each exposure's kind, counted from 1. */
function kindsOf(exposures: readonly Served[]): {
  readonly kinds: readonly Served[];
  readonly places: readonly number[];
} {
  const kinds: Served[] = [];
  // By feature, so that few are compared however many features there are.
  const byFeature = new Map<string, number[]>();
  const places = exposures.map((exposure) => {
    const { feature_key } = exposure.decision;
    let known = byFeature.get(feature_key);
    if (known === undefined) {
      known = [];
      byFeature.set(feature_key, known);
    }
    for (const place of known) if (sameKind(kinds[place - 1] as Served, exposure)) return place;
    known.push(kinds.push(exposure));
    return kinds.length;
  });
  return { kinds, places };
}

function sameKind(one: Served, other: Served): boolean {
  const a = one.decision;
  const b = other.decision;
  return (
    one.environment === other.environment &&
    a.feature_version === b.feature_version &&
    a.variant === b.variant &&
    a.enabled === b.enabled &&
    a.decision_source === b.decision_source &&
    a.reason === b.reason &&
    a.step === b.step &&
    a.model_version === b.model_version &&
    a.fallback?.from === b.fallback?.from &&
    a.fallback?.cause === b.fallback?.cause
  );
}

/**
 * A user's first exposure to an experiment counts. Batches of several servers may arrive out of order, so an earlier one
 * that comes later still wins. They are written in one order, so that concurrent batches do not wait for each other in a
 * circle; a join alone may bring them in any. An experiment deleted meanwhile is passed over; `for key share` keeps the others there.
 */
async function insertExperimentExposures(t: Transaction, exposures: readonly Served[]): Promise<void> {
  const firsts = [...firstExposures(exposures).values()];
  if (firsts.length === 0) return;
  await t`
    with running as materialized (
      select id, environment from experiments
      where id = any (${plain([...new Set(firsts.map(({ experiment_id }) => experiment_id))])}::text::bigint[])
      for key share)
    insert into experiment_exposures (experiment_id, user_id, arm, first_at)
    select experiment_id, user_id, arm, first_at
    from unnest(
      ${plain(firsts.map(({ experiment_id }) => experiment_id))}::text::bigint[],
      ${texts(firsts.map(({ environment }) => environment))}::text::text[],
      ${texts(firsts.map(({ user_id }) => clean(user_id)))}::text::text[],
      ${texts(firsts.map(({ arm }) => clean(arm)))}::text::text[],
      ${times(firsts.map(({ at }) => at))}::text::timestamptz[])
      as input (experiment_id, environment, user_id, arm, first_at)
    where (experiment_id, environment) in (select id, environment from running)
    order by experiment_id, user_id
    on conflict (experiment_id, user_id) do update set first_at = excluded.first_at, arm = excluded.arm
      where excluded.first_at < experiment_exposures.first_at`;
}

interface First {
  readonly experiment_id: number;
  readonly environment: string;
  readonly user_id: string;
  readonly arm: string;
  readonly at: number;
}

function firstExposures(exposures: readonly Served[]): ReadonlyMap<string, First> {
  const firsts = new Map<string, First>();
  for (const { environment, at, decision } of exposures) {
    const { experiment, user_id } = decision;
    if (experiment === null || user_id === null) continue;
    const key = `${experiment.experiment_id}\0${user_id}`;
    const known = firsts.get(key);
    if (known === undefined || at < known.at)
      firsts.set(key, { experiment_id: experiment.experiment_id, environment, user_id, arm: experiment.variant, at });
  }
  return firsts;
}

/** PostgreSQL takes no NUL character; one odd user id must not cost a whole batch. */
function clean<Text extends string | null>(text: Text): Text {
  return (text?.includes("\0") ? text.replaceAll("\0", "�") : text) as Text;
}

/** jsonb takes neither NUL nor half a surrogate pair. */
function cleanJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!/\\u(0000|d[89a-f])/i.test(text)) return text;
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "string" ? inner.replaceAll("\0", "�").toWellFormed() : inner,
  );
}
