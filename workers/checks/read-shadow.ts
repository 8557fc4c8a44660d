import type { Pmf } from "../../core/engine/distribution.ts";
import { policyFor } from "../../core/engine/policy-for.ts";
import type { Json } from "../../core/json.ts";
import { logLossOf } from "../../core/model/metrics.ts";
import type { Model } from "../../core/model/model.ts";
import { createRowScorer } from "../../core/model/row-scorer.ts";
import { everyFor, firstExposures, surveyExposures } from "../../server/postgres/checked-exposures.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import { artifactOf, type CheckedScope } from "./checked-scope.ts";

/** Decisions that are looked at. */
const SAMPLE = 50_000;

/**
 * What a candidate would have done with the live model's decisions since it was trained: how often the same variant would have
 * been the likeliest, and how well both knew what came of them. null: nothing to compare.
 */
export async function readShadow(
  sql: Sql,
  scope: CheckedScope,
  live: Model,
  candidate: Model,
  now: number,
): Promise<Json> {
  const [artifacts, { feature, configuration, strategies }] = [[live, candidate].map(artifactOf), scope];
  const [liveArtifact, artifact] = artifacts;
  if (feature === undefined || liveArtifact === undefined || artifact === undefined) return null;
  const [serves, would] = [live, candidate].map((model) =>
    policyFor(configuration, feature.key, strategies, { model }),
  );
  const [scoreLive, score] = [createRowScorer(liveArtifact), createRowScorer(artifact)];
  const since = Math.max(Date.parse(candidate.trained_at), Date.parse(live.ramped_at ?? live.trained_at));
  const all = { environment: live.environment, feature_keys: scope.feature_keys, since, until: now, every: 1 };
  const { total } = await surveyExposures(sql, all);
  const decisions = firstExposures(sql, { ...all, every: everyFor(total, SAMPLE) }, scope.outcome);
  const counts = { decisions: 0, same: 0, outcomes: 0, loss: 0, live_loss: 0 };
  for await (const { user_id, at, row, variant, reward } of decisions) {
    const [now, then] = [serves?.(row, user_id, at), would?.(row, user_id, at)];
    if (now == null || then == null) continue;
    counts.decisions++;
    if (likeliest(now) === likeliest(then)) counts.same++;
    const probability = reward === null ? undefined : score(row, variant)?.probability;
    const liveProbability = reward === null ? undefined : scoreLive(row, variant)?.probability;
    if (reward === null || probability === undefined || liveProbability === undefined) continue;
    counts.outcomes++;
    counts.loss += logLossOf(reward, probability);
    counts.live_loss += logLossOf(reward, liveProbability);
  }
  const { same, outcomes, loss, live_loss } = counts;
  const per = (sum: number, of: number) => (of === 0 ? null : sum / of);
  return {
    live: live.version,
    since: new Date(since).toISOString(),
    checked_at: new Date(now).toISOString(),
    decisions: counts.decisions,
    agreement: per(same, counts.decisions),
    outcomes,
    log_loss: per(loss, outcomes),
    live_log_loss: per(live_loss, outcomes),
  };
}

function likeliest(pmf: Pmf): string | undefined {
  return Object.entries(pmf).sort(([a, p], [b, q]) => q - p || (a < b ? -1 : 1))[0]?.[0];
}
