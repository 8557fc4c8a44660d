import type { ModelHealth, StopCause } from "../model/model.ts";
import { tooFewPositives } from "../model/positives.ts";
import type { Calibration } from "./calibration-test.ts";
import type { Propensities } from "./propensity-check.ts";

/** How far one input of the model, or its scores, have moved from the training data. */
export interface Shift {
  /** A column of the feature row, or `score`. */
  readonly name: string;
  readonly psi: number;
  /** What chance alone may make of it (psi.ts). */
  readonly chance: number;
  readonly rows: number;
  /** It only grew, as this input does by itself while time goes by (growth.ts). */
  readonly grown: boolean;
}

/** Everything that was found out about a model. null: not looked at, or not to be known. */
export interface Signs {
  readonly shifts: readonly Shift[];
  readonly calibration: Calibration | null;
  readonly propensities: Propensities | null;
  readonly age_seconds: number;
  /** null: none. */
  readonly max_age_seconds: number | null;
  /** The feature schema it was trained on (null: this release cannot read the model), and this release's. */
  readonly schema: number | null;
  readonly current_schema: number;
  /** Positive outcomes it was trained with, by arm; null when it was not trained by arm. */
  readonly positives: Readonly<Record<string, number>> | null;
}

export interface Finding {
  readonly sign: "drift" | "calibration" | "propensities" | "age" | "schema" | "evidence" | "lift";
  readonly health: Exclude<ModelHealth, "fresh">;
  readonly sentence: string;
}

export interface Assessment {
  readonly health: ModelHealth;
  /** What the steps of a stopped model fall back with; null unless it is stopped. */
  readonly cause: StopCause | null;
  /** The worst first. */
  readonly findings: readonly Finding[];
}

/** Above the first an index warns, above the second it stops the model. */
export const PSI_LIMITS = { warning: 0.1, stopped: 0.25 } as const;
/** A model that shows one of these is stale, whatever else is found. */
const STALE: readonly Finding["sign"][] = ["age", "schema", "evidence"];

/**
 * What the signs mean: `stopped` when one of them stops the model, `warning` when one warns, else `fresh`. A model that is
 * too old, of another feature schema or of too little evidence is stopped as stale. Its steps see that at every decision, too,
 * and do not wait for this.
 */
export function assess(signs: Signs, more: readonly Finding[] = []): Assessment {
  const found = [
    ...ofAge(signs),
    ...ofSchema(signs),
    ...ofPositives(signs.positives),
    ...more,
    ...signs.shifts.flatMap(ofShift),
    ...ofCalibration(signs.calibration),
    ...ofPropensities(signs.propensities),
  ];
  const of = (health: Finding["health"]) => found.filter((finding) => finding.health === health);
  const findings = [...of("stopped"), ...of("warning")];
  const [worst] = findings;
  const cause = worst?.health !== "stopped" ? null : STALE.includes(worst.sign) ? "stale_model" : "drifted_model";
  return { health: worst?.health ?? "fresh", cause, findings };
}

/** What only grew by itself never stops: that is certain to come, and tells nothing of users. */
function ofShift({ name, psi, chance, rows, grown }: Shift): readonly Finding[] {
  if (psi <= PSI_LIMITS.warning || psi <= chance) return [];
  const health = psi > PSI_LIMITS.stopped && !grown ? "stopped" : "warning";
  const subject = name === "score" ? "The scores are" : `"${name}" is`;
  const grew = grown ? ". It only grew, as it does with time: train again" : "";
  const sentence = `${subject} no longer distributed as in training: PSI ${psi.toFixed(2)} over ${rows} users, above ${PSI_LIMITS[health]}${grew}`;
  return [{ sign: "drift", health, sentence }];
}

function ofCalibration(calibration: Calibration | null): readonly Finding[] {
  if (calibration === null || !calibration.alarm) return [];
  const { outcomes, stated, observed, highest_log_e } = calibration;
  const sentence = `Its probabilities no longer hold: over ${outcomes} outcomes it stated ${stated.toFixed(3)} on average and ${observed.toFixed(3)} came true (evidence of ${evidence(highest_log_e)}, 20 is too much)`;
  return [{ sign: "calibration", health: "stopped", sentence }];
}

function ofPropensities(propensities: Propensities | null): readonly Finding[] {
  if (propensities === null || !propensities.alarm) return [];
  const { decisions, arms, impossible, highest_log_e } = propensities;
  const [worst] = [...arms].sort((a, b) => Math.abs(b.z) - Math.abs(a.z));
  const why =
    impossible > 0
      ? `${impossible} of ${decisions} decisions served a variant whose stored probability is 0`
      : `over ${decisions} users "${worst?.arm}" was served ${worst?.given} times where ${worst?.expected.toFixed(0)} were to be expected (evidence of ${evidence(highest_log_e)}, 1000 is too much)`;
  const sentence = `What was served does not fit the stored probabilities, so that no propensity can be trusted: ${why}`;
  return [{ sign: "propensities", health: "stopped", sentence }];
}

function ofAge({ age_seconds, max_age_seconds }: Signs): readonly Finding[] {
  if (max_age_seconds === null || age_seconds <= max_age_seconds) return [];
  const sentence = `It is ${Math.round(age_seconds)} seconds old and ${max_age_seconds} are allowed: its steps fall back with stale_model`;
  return [{ sign: "age", health: "stopped", sentence }];
}

function ofSchema({ schema, current_schema }: Signs): readonly Finding[] {
  if (schema === current_schema) return [];
  const found =
    schema === null
      ? "It is of a form this release cannot read"
      : `It was trained on feature schema ${schema}, and this release has ${current_schema}`;
  return [
    { sign: "schema", health: "stopped", sentence: `${found}: its steps fall back with stale_model; train again` },
  ];
}

function ofPositives(positives: Signs["positives"]): readonly Finding[] {
  const few = tooFewPositives(positives);
  if (few === null) return [];
  return [{ sign: "evidence", health: "stopped", sentence: `It was ${few}: its steps fall back with stale_model` }];
}

function evidence(logE: number): string {
  return `${Number(Math.exp(Math.min(logE, 50)).toPrecision(3))}`;
}
