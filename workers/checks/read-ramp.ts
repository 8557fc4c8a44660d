import { z } from "zod";
import { createShareBatches } from "../../core/experiment/share-batches.ts";
import type { Model } from "../../core/model/model.ts";
import type { ModelCheck } from "../../core/model/model-check.ts";
import { type Monitor, nextStage, type RampStep } from "../../core/rollout/ramp.ts";
import { rampGroup } from "../../core/rollout/ramp-group.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import type { CheckedScope } from "./checked-scope.ts";
import { readCompared } from "./read-compared.ts";

/** Since when a challenger had which share of the users. */
const Stage = z.object({ traffic: z.number(), since: z.string() });
type Stage = z.infer<typeof Stage>;

export interface ReadRamp {
  readonly step: RampStep;
  /** Kept in the check's report, where the next one finds it. */
  readonly stages: readonly Stage[];
}

/** Compares the challenger's users with the champion's since its ramp began, and says how it goes on. */
export async function readRamp(
  sql: Sql,
  scope: CheckedScope,
  model: Model,
  now: number,
  latest: ModelCheck | undefined,
): Promise<ReadRamp> {
  const stages = stagesOf(model, latest);
  const { feature, objective, outcome } = scope;
  const hold = (why: string): ReadRamp => ({
    stages,
    step: { action: "hold", traffic: model.traffic, sentence: `Held at ${model.traffic * 100} %: ${why}` },
  });
  if (feature === undefined || objective === null || outcome === null)
    return hold("its feature has no objective by which it could be compared");
  const taken = rampGroup(feature.key);
  const batches = createShareBatches();
  const since = Date.parse((stages[0] as Stage).since);
  for await (const { user_id, at, held_out, reward, guardrails } of readCompared(sql, scope, { since, until: now })) {
    if (held_out) continue;
    const share = shareAt(stages, at);
    batches.add({ at, treated: taken(user_id, share), share, outcomes: [reward, ...guardrails] });
  }
  const monitors: Monitor[] = [
    {
      name: "the objective",
      harmful: objective.direction === "increase" ? "decrease" : "increase",
      margin: 0,
      outcomes: batches.outcomes(0),
    },
    ...objective.guardrails.map(({ event_types, harmful, margin }, i) => ({
      name: `the guardrail "${event_types.join(", ")}"`,
      harmful,
      margin,
      outcomes: batches.outcomes(i + 1),
    })),
  ];
  const step = nextStage({
    shares: objective.ramp,
    traffic: model.traffic,
    held_seconds: (now - Date.parse((stages.at(-1) as Stage).since)) / 1000,
    dwell_seconds: objective.ramp_seconds,
    users: batches.users(),
    monitors,
  });
  return { step, stages };
}

/** The stages that the check before knew, and the present one. A ramp that was begun anew has only that. */
function stagesOf({ traffic, ramped_at, trained_at }: Model, latest: ModelCheck | undefined): readonly Stage[] {
  const present = { traffic, since: ramped_at ?? trained_at };
  const { data } = z.object({ ramp: z.object({ stages: z.array(Stage) }) }).safeParse(latest?.report);
  const known = data?.ramp.stages ?? [];
  const last = known.at(-1);
  if (last?.since === present.since) return known;
  return last !== undefined && last.traffic < traffic ? [...known, present] : [present];
}

function shareAt(stages: readonly Stage[], at: number): number {
  const stage = stages.findLast(({ since }) => Date.parse(since) <= at) ?? stages[0];
  return (stage as Stage).traffic;
}
