import { completeObjective } from "../../core/feature/objective.ts";
import type { Json } from "../../core/json.ts";
import { Artifact } from "../../core/model/artifact.ts";
import { rowEncoder } from "../../core/model/encoding.ts";
import { updateRidge } from "../../core/model/ridge.ts";
import { rowValues } from "../../core/model/row-values.ts";
import type { Clock } from "../../core/ports.ts";
import { type BanditOutcome, readBanditOutcomes } from "../../server/postgres/bandit-outcomes.ts";
import { type LiveBandit, liveBandits, saveBandit, takeBandit } from "../../server/postgres/bandit-states.ts";
import { selectFeatures } from "../../server/postgres/feature-rows.ts";
import { modelOrigin } from "../../server/postgres/model-origin.ts";
import type { Sql, Transaction } from "../../server/postgres/sql.ts";
import { transaction } from "../../server/postgres/transaction.ts";
import { jobSpan } from "../../server/telemetry/job-spans.ts";
import { tracing } from "../../server/telemetry/tracing.ts";

export interface UpdateBanditsPorts {
  readonly sql: Sql;
  readonly clock: Clock;
  /** Where an objective names no event types. */
  readonly positive_event_types: readonly string[];
}

/** Servers write exposures a moment after the decision: what is younger may be missing still. Milliseconds. */
const SETTLED = 1_000;

/**
 * Teaches every live bandit the outcomes that matured since it was last taught. Any number of workers may try at once: one of
 * them does. Returns how many outcomes there were.
 */
export async function updateBandits(ports: UpdateBanditsPorts): Promise<number> {
  let learned = 0;
  for (const { environment, version } of await liveBandits(ports.sql))
    learned += await transaction(ports.sql, (tx) => update(tx, environment, version, ports));
  return learned;
}

async function update(
  tx: Transaction,
  environment: string,
  version: string,
  { clock, positive_event_types }: UpdateBanditsPorts,
): Promise<number> {
  const bandit = await takeBandit(tx, environment, version);
  if (bandit === undefined) return 0;
  const features = await selectFeatures(tx, environment);
  const feature = features.find(({ key }) => key === bandit.feature_key);
  const objective = feature === undefined ? null : completeObjective(feature);
  const artifact = Artifact.safeParse(bandit.artifact).data;
  if (objective === null || objective.exploration === "frozen" || artifact === undefined) return 0;
  const event_types = objective.event_types ?? positive_event_types;
  if (event_types.length === 0) return 0;
  const window = windowOf(bandit) * 1000;
  const outcomes = await readBanditOutcomes(tx, environment, {
    feature_key: bandit.feature_key,
    objective,
    event_types,
    window,
    after: bandit.watermark,
    until: clock.now() - window - objective.grace_seconds * 1000 - SETTLED,
  });
  const last = outcomes.at(-1);
  if (last === undefined) return 0;
  const related = tracing.enabled ? await modelOrigin(tx, environment, version) : null;
  const attributes = {
    "feature_flag.set.id": environment,
    "feature_flag.key": bandit.feature_key,
    "adaptive.model.version": version,
    "adaptive.outcomes": outcomes.length,
    "adaptive.exposures.after": new Date(bandit.watermark).toISOString(),
    "adaptive.exposures.until": new Date(last.at).toISOString(),
  };
  await jobSpan("update-bandit", { traceparent: null, related, attributes }, async () => {
    teach(artifact, outcomes);
    await saveBandit(tx, {
      environment,
      version,
      artifact: artifact as unknown as Json,
      outcomes: bandit.outcomes + outcomes.length,
      watermark: last.at,
    });
  });
  return outcomes.length;
}

/** In place. Outcomes of a variant the model does not know wait for the next training. */
function teach({ model, encoding, arms }: Artifact, outcomes: readonly BanditOutcome[]): void {
  if (model.learner !== "ridge" || arms === null) return;
  const valuesOf = rowValues(encoding);
  const encode = rowEncoder(encoding);
  const x = new Float64Array(encoding.columns.length);
  for (const { row, variant, reward, weight } of outcomes) {
    const arm = arms.indexOf(variant);
    if (arm === -1) continue;
    encode(valuesOf(row), x, 0);
    updateRidge(model, x, 0, arm, reward, weight);
  }
}

/** The window it was trained with, seconds: a feature may leave it open. */
function windowOf({ process }: LiveBandit): number {
  const { dataset_profile } = process as { dataset_profile: { window_seconds: number } };
  return dataset_profile.window_seconds;
}
