import type { Signs } from "../../core/drift/assess.ts";
import { createCalibrationTest } from "../../core/drift/calibration-test.ts";
import { createPropensityCheck } from "../../core/drift/propensity-check.ts";
import { createShiftMeter } from "../../core/drift/shift-meter.ts";
import type { Artifact } from "../../core/model/artifact.ts";
import { FEATURE_SCHEMA } from "../../core/model/feature-row.ts";
import type { Model } from "../../core/model/model.ts";
import { positivesOf } from "../../core/model/positives.ts";
import { createRowScorer } from "../../core/model/row-scorer.ts";
import {
  type CheckedRange,
  everyFor,
  firstExposures,
  latestRows,
  surveyExposures,
} from "../../server/postgres/checked-exposures.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import { artifactOf, type CheckedScope, field } from "./checked-scope.ts";

/** The signs, and how much was looked at. */
export interface ReadSigns {
  readonly signs: Signs;
  readonly exposures: number;
  /** Only every n-th user was looked at. */
  readonly every: number;
}

const DAY = 86_400_000;
/** Exposures that are looked at. */
const SAMPLE = 50_000;
/** Of the last day only when it has so many exposures; else all since the model has its users. */
const ENOUGH = 1000;
/** Trained on other moments, a model says nothing of decisions. */
const DECISIONS: readonly unknown[] = ["exposures", "views"];

/** Looks at the decisions made since the model has its users. */
export async function readSigns(sql: Sql, scope: CheckedScope, model: Model, now: number): Promise<ReadSigns> {
  const artifact = artifactOf(model);
  const since = Date.parse(model.ramped_at ?? model.trained_at);
  const all = { environment: model.environment, feature_keys: scope.feature_keys, since, until: now, every: 1 };
  const { total, recent } = await surveyExposures(sql, all);
  const every = everyFor(total, SAMPLE);
  const range = { ...all, every };
  const lately = recent >= ENOUGH ? { ...range, since: Math.max(range.since, now - DAY) } : range;
  const decisions = scope.feature === undefined ? null : await readDecisions(sql, { scope, model, artifact, range });
  return {
    exposures: total,
    every,
    signs: {
      shifts: artifact === undefined ? [] : await readShifts(sql, { model, artifact, range: lately }),
      calibration: decisions?.calibration ?? null,
      propensities: decisions?.propensities ?? null,
      age_seconds: (now - Date.parse(model.trained_at)) / 1000,
      max_age_seconds: scope.max_age_seconds,
      schema: artifact?.feature_schema ?? null,
      current_schema: FEATURE_SCHEMA,
      positives: positivesOf(model),
    },
  };
}

interface Reading {
  readonly model: Model;
  readonly artifact: Artifact | undefined;
  readonly range: CheckedRange;
}

async function readShifts(
  sql: Sql,
  { model, artifact, range }: Reading & { readonly artifact: Artifact },
): Promise<Signs["shifts"]> {
  const trained = field(field(model.process, "dataset_profile") ?? null, "train_rows");
  const meter = createShiftMeter(artifact, typeof trained === "number" ? trained : ENOUGH);
  const score = createRowScorer(artifact);
  const safe = artifact.arms?.[0] ?? "";
  for await (const row of latestRows(sql, range)) {
    const scored = score(row, safe);
    if (scored !== null) meter.add(scored);
  }
  return meter.shifts();
}

async function readDecisions(
  sql: Sql,
  { scope, model, artifact, range }: Reading & { readonly scope: CheckedScope },
): Promise<Pick<Signs, "calibration" | "propensities">> {
  const says = artifact !== undefined && saysOutcomes(model, artifact, scope);
  const score = artifact === undefined ? undefined : createRowScorer(artifact);
  const calibration = createCalibrationTest();
  const propensities = createPropensityCheck(Object.keys(scope.feature?.variants ?? {}));
  const decisions = firstExposures(sql, range, says ? scope.outcome : null);
  for await (const { user_id, variant, probabilities, row, reward } of decisions) {
    if (probabilities !== null) propensities.add(variant, probabilities);
    if (reward === null || !scope.serves(user_id)) continue;
    const scored = score?.(row, variant);
    if (scored != null) calibration.add(scored.probability, reward);
  }
  return { propensities: propensities.result(), calibration: says ? calibration.result() : null };
}

/** Whether the model states a probability of the very outcome that is counted. */
function saysOutcomes({ process }: Model, { value_cap }: Artifact, { outcome }: CheckedScope): boolean {
  const moments = field(field(process, "dataset_profile") ?? null, "moments");
  return outcome !== null && DECISIONS.includes(moments) && value_cap === (outcome.value?.cap ?? null);
}
