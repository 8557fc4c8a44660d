import { type Policy, policyFor } from "../core/engine/policy-for.ts";
import type { Feature } from "../core/feature/feature.ts";
import type { CompleteObjective } from "../core/feature/objective.ts";
import type { Json } from "../core/json.ts";
import { rowAt } from "../core/model/dataset.ts";
import type { FeatureRow, Scalar } from "../core/model/feature-row.ts";
import type { Judged, JudgeEvidence } from "../core/model/judge-trained.ts";
import { calibrationError } from "../core/model/metrics.ts";
import type { Model } from "../core/model/model.ts";
import { evidenceBuilder } from "../core/off-policy/evidence.ts";
import { judgeChallenger } from "../core/off-policy/gate.ts";
import type { Configuration } from "../core/ports.ts";
import type { Strategy } from "../core/strategy.ts";

export interface JudgeOptions {
  readonly configuration: Configuration;
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly feature: Feature;
  readonly objective: CompleteObjective;
  /** The model that decides now; null: none does, and plain rollout is what it is compared with. */
  readonly champion: Model | null;
}

/**
 * The gate (rule 13): what the whole feature would serve with the new model, against what it would serve as it is, on decisions
 * of the validation slice, by the engine that serves.
 */
export function judgeBy(options: JudgeOptions): (evidence: JudgeEvidence) => Judged {
  const { configuration, strategies, feature, objective, champion } = options;
  return (evidence) => {
    const learnsOn = evidence.artifact.model.learner === "ridge";
    // What holdout and exploration cost is the price of learning, not the model's fault: without them, as fixed variants have
    // none either. A bandit is its exploration. A feature that is switched off is judged as it would be when switched on.
    const bare = feature.objective && { ...feature.objective, holdout: 0, exploration: "frozen" as const };
    const definition = { ...feature, enabled: true, objective: learnsOn ? feature.objective : bare };
    const policy = (model: Model | null): Policy =>
      policyFor(configuration, feature.key, strategies, { definition, model });
    const { dataset, rows, arms, q } = evidence;
    const variants = Object.keys(feature.variants);
    const now = policy(champion);
    const then = policy(challengerOf(feature, evidence));
    const builder = evidenceBuilder(variants, objective.guardrails.length);
    const columns = variants.map((name) => Math.max(0, arms.indexOf(name)));
    const served = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      const unit = dataset.unit_names[dataset.units[row] as number] as string;
      const at = dataset.at[row] as number;
      const features = withBooleans(rowAt(dataset, row));
      const policies = [now(features, unit, at), then(features, unit, at)].filter((pmf) => pmf !== null);
      if (policies.length < 2) return unknownPolicy(feature.key);
      const variant = dataset.arms?.[dataset.arm?.[row] ?? 0] as string;
      const probability = dataset.probability?.[row] as number;
      const qOf = (column: number) => q[i * arms.length + column] as number;
      served[i] = qOf(arms.indexOf(variant));
      const { guardrail_count: g, guardrails } = dataset;
      builder.add(
        {
          unit,
          at,
          row: features,
          variant,
          probability,
          probabilities: { [variant]: probability },
          reward: dataset.values[row] as number,
          guardrails: Array.from(guardrails.subarray(row * g, (row + 1) * g)),
        },
        policies,
        // Of a variant that was never served nothing is known: it is taken to do what the safe one does.
        columns.map(qOf),
      );
    }
    const built = builder.build();
    const [championPmf, challengerPmf] = built.policies;
    if (championPmf === undefined || challengerPmf === undefined || built.q === null) return unknownPolicy(feature.key);
    const { promote, verdict, report } = judgeChallenger({
      evidence: built.evidence,
      champion: championPmf,
      challenger: challengerPmf,
      q: built.q,
      names: {
        champion: champion === null ? "plain rollout" : `model ${champion.version}`,
        challenger: "the new model",
      },
      calibration_error: calibrationError(built.evidence.rewards, served),
      guardrails: objective.guardrails.map(({ event_types, harmful, margin }) => ({
        name: event_types.join(", "),
        harmful,
        margin,
      })),
      direction: objective.direction,
    });
    return learnsOn ? judgeBandit({ promote, verdict, report }) : { promote, verdict, report };
  };
}

/**
 * A bandit need not prove that it is better: it explores as much as it is unsure, its probabilities never fall below the
 * floor, and the holdout shows what it gains. Only one that is surely worse, or that harms a guardrail, is kept back
 * (docs/decisions/0086-bandits-and-the-gate.md).
 */
function judgeBandit({ verdict, report }: Judged): Judged {
  const { gain, guardrails } = (report ?? {}) as {
    gain?: { value: number; error: number };
    guardrails?: { ok: boolean }[];
  };
  const harms = guardrails?.some(({ ok }) => !ok) ?? false;
  const worse = gain !== undefined && gain.value + 1.645 * gain.error < 0;
  const [compared] = verdict.split(" Not promoted: ");
  if (harms || worse) return { promote: false, verdict, report };
  return {
    promote: true,
    verdict: `${compared} Live: a bandit goes on learning as it decides, and nothing shows harm.`,
    report,
  };
}

/** The new model as if it were stored. */
function challengerOf(feature: Feature, { artifact }: JudgeEvidence): Model {
  return {
    version: `${feature.key}@new`,
    environment: feature.environment,
    feature_key: feature.key,
    status: "live",
    learner: artifact.model.learner,
    target: "uplift",
    trained_at: new Date(0).toISOString(),
    artifact: artifact as unknown as Json,
    hash: "",
    seed: 0,
    metrics: null,
    process: null,
    verdict: "",
    job_id: null,
    traffic: 1,
    ramped_at: null,
    health: "fresh",
    health_detail: null,
    health_cause: null,
    checked_at: null,
    shadow: null,
  };
}

/** A dataset keeps booleans as words, for which learners do not care; conditions do. */
function withBooleans(row: FeatureRow): FeatureRow {
  const found: Record<string, Scalar> = {};
  for (const name of Object.keys(row)) {
    const value = row[name] as Scalar;
    found[name] = value === "true" ? true : value === "false" ? false : value;
  }
  return found;
}

function unknownPolicy(key: string): Judged {
  return {
    promote: false,
    verdict: `Not promoted: what "${key}" would serve cannot be told afterwards, as one of its steps answers with a promise or serves a variant it does not have.`,
    report: null,
  };
}
