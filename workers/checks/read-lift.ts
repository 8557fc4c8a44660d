import type { Finding } from "../../core/drift/assess.ts";
import { createShareBatches } from "../../core/experiment/share-batches.ts";
import { shareEProcess, shareMisfit } from "../../core/experiment/share-eprocess.ts";
import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import { heldOutSince } from "../../server/postgres/model-checks.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import type { CheckedScope } from "./checked-scope.ts";
import { readCompared } from "./read-compared.ts";

/** How the live model's users do beside those held out. */
export interface ReadLift {
  readonly report: Json;
  /** Harm, once it is shown. */
  readonly findings: readonly Finding[];
}

/** Of all harmless models at most 5 % are ever taken for harmful. */
const HARM = Math.log(20);
const MISFIT = Math.log(1000);

/**
 * Compares the live model's users with the held-out ones; null where nobody is held out. Users that a challenger has taken
 * over are nobody's here.
 */
export async function readLift(sql: Sql, scope: CheckedScope, model: Model, now: number): Promise<ReadLift | null> {
  const { feature, objective, outcome } = scope;
  if (feature === undefined || objective === null || objective.holdout === 0 || outcome === null) return null;
  const { environment } = model;
  const begun = Date.parse(model.ramped_at ?? model.trained_at);
  const since = Math.max(begun, await heldOutSince(sql, environment, { id: feature.id, holdout: objective.holdout }));
  const left = (1 - objective.holdout) * (1 - scope.challenger_traffic);
  const share = left / (left + objective.holdout);
  const batches = createShareBatches();
  const totals = { model: { users: 0, outcomes: 0 }, holdout: { users: 0, outcomes: 0 } };
  for await (const { user_id, at, held_out, reward } of readCompared(sql, scope, { since, until: now })) {
    if (!held_out && !scope.serves(user_id)) continue;
    batches.add({ at, treated: !held_out, share, outcomes: [reward] });
    const group = held_out ? totals.holdout : totals.model;
    group.users += 1;
    group.outcomes += reward;
  }
  const misfit = shareMisfit(batches.users());
  const harmful = objective.direction === "increase" ? "decrease" : "increase";
  const evidence = shareEProcess(batches.outcomes(0), harmful).highest;
  const report = { since: new Date(since).toISOString(), ...totals, log_e: evidence, sizes_log_e: misfit };
  if (evidence < HARM || misfit >= MISFIT) return { report, findings: [] };
  const rate = ({ users, outcomes }: typeof totals.model) => (outcomes / Math.max(1, users)).toFixed(4);
  const sentence = `It does worse than no model: ${rate(totals.model)} over ${totals.model.users} users, and ${rate(totals.holdout)} over the ${totals.holdout.users} held out (evidence of ${Number(Math.exp(Math.min(evidence, 50)).toPrecision(3))}, 20 is enough)`;
  return { report, findings: [{ sign: "lift", health: "stopped", sentence }] };
}
