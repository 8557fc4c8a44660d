import { type Assessment, assess, type Finding } from "../../core/drift/assess.ts";
import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import type { Configuration } from "../../core/ports.ts";
import type { Strategy } from "../../core/strategy.ts";
import {
  type Move,
  modelCheckStore,
  predecessorOf,
  recordCheck,
  recordShadow,
  shadowCandidate,
} from "../../server/postgres/model-checks.ts";
import { modelStore } from "../../server/postgres/models.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import { type CheckedScope, checkedScope } from "./checked-scope.ts";
import { type ReadLift, readLift } from "./read-lift.ts";
import { type ReadRamp, readRamp } from "./read-ramp.ts";
import { readShadow } from "./read-shadow.ts";
import { type ReadSigns, readSigns } from "./read-signs.ts";

export interface Checked extends Assessment {
  readonly move: Move | undefined;
  /** The largest index of its inputs and its score; 0 without decisions. */
  readonly psi_max: number;
}

/** Inputs whose index is kept, the largest first. */
const SHOWN = 20;

/** Looks at one model that decides, stores what was found, and moves the model when it must be moved. */
export async function checkModel(
  sql: Sql,
  { configuration, strategies }: { configuration: Configuration; strategies: ReadonlyMap<string, Strategy> },
  model: Model,
  now: number,
): Promise<Checked> {
  const scope = checkedScope(configuration, strategies, model);
  const read = await readSigns(sql, scope, model, now);
  const live = model.status === "live";
  const lift = live ? await readLift(sql, scope, model, now) : null;
  const assessment = assess(read.signs, lift?.findings);
  const ramp = live ? null : await readRampOf(sql, scope, model, now);
  const move = live
    ? await moveOfLive(sql, scope, model, now, lift?.findings ?? [])
    : moveOfChallenger(assessment, ramp as ReadRamp);
  const { health, cause, findings } = assessment;
  const detail = findings.length === 0 ? null : findings.map(({ sentence }) => sentence).join(". ");
  const report = reportOf(read, assessment, { lift, ramp, move });
  await recordCheck(sql, { model, at: now, health, detail, cause, report, move });
  if (live) await lookAtCandidate(sql, scope, model, now);
  return { ...assessment, move, psi_max: read.signs.shifts[0]?.psi ?? 0 };
}

async function readRampOf(sql: Sql, scope: CheckedScope, model: Model, now: number): Promise<ReadRamp> {
  const [latest] = await modelCheckStore(sql).list(model.environment, model.version, 1);
  return readRamp(sql, scope, model, now, latest);
}

/** A live model that does worse than none gives way to the one before it; without one it is stopped, and stays. */
async function moveOfLive(
  sql: Sql,
  { max_age_seconds }: CheckedScope,
  model: Model,
  now: number,
  [harm]: readonly Finding[],
): Promise<Move | undefined> {
  if (harm === undefined) return undefined;
  const to = await predecessorOf(sql, model, now - max_age_seconds * 1000);
  return to === null ? undefined : { kind: "return", to, reason: `${harm.sentence}: ${to} decides again` };
}

function moveOfChallenger({ health, findings }: Assessment, { step }: ReadRamp): Move | undefined {
  if (step.action === "return") return { kind: "return", to: null, reason: step.sentence };
  if (health === "stopped") return { kind: "return", to: null, reason: `Sent back: ${findings[0]?.sentence}` };
  if (step.action === "hold") return undefined;
  return { kind: "advance", traffic: step.traffic, reason: step.sentence };
}

async function lookAtCandidate(sql: Sql, scope: CheckedScope, live: Model, now: number): Promise<void> {
  const version = await shadowCandidate(sql, live);
  const candidate = version === null ? undefined : await modelStore(sql).get(live.environment, version);
  if (candidate === undefined) return;
  const shadow = await readShadow(sql, scope, live, candidate, now);
  await recordShadow(sql, live.environment, candidate.version, shadow);
}

function reportOf(
  { signs, exposures, every }: ReadSigns,
  { findings }: Assessment,
  { lift, ramp, move }: { lift: ReadLift | null; ramp: ReadRamp | null; move: Move | undefined },
): Json {
  const { shifts, ...others } = signs;
  const sent_back = move?.kind === "return";
  const report = {
    findings,
    exposures,
    users_looked_at: `1 of ${every}`,
    psi: shifts.slice(0, SHOWN),
    ...others,
    lift: lift?.report ?? null,
    ramp: ramp === null ? null : { ...ramp.step, stages: sent_back ? [] : ramp.stages },
  };
  return report as unknown as Json;
}
