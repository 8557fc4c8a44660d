import { type ShareBatch, shareEProcess, shareMisfit } from "../experiment/share-eprocess.ts";

/** What is compared between the challenger's users (treatment) and the champion's (control). */
export interface Monitor {
  /** As a sentence's subject, such as `the objective` or `the guardrail "refund"`. */
  readonly name: string;
  /** Which way is harm. */
  readonly harmful: "increase" | "decrease";
  /** Relative change that is tolerated, 0..1. */
  readonly margin: number;
  /** Outcomes by share in force, oldest first; each user in one of them, once. */
  readonly outcomes: readonly ShareBatch[];
}

export interface Ramp {
  /** The challenger's shares, rising, the last one 1. */
  readonly shares: readonly number[];
  /** Its present share. */
  readonly traffic: number;
  /** How long it has had that, and how long each is held at least. */
  readonly held_seconds: number;
  readonly dwell_seconds: number;
  /** Users with a known outcome, as events of the batches. */
  readonly users: readonly ShareBatch[];
  /** The objective and the guardrails. */
  readonly monitors: readonly Monitor[];
}

export interface RampStep {
  readonly action: "advance" | "hold" | "return";
  /** What the challenger has from now on: 1 makes it live, 0 sends it back. */
  readonly traffic: number;
  /** Why, in words. */
  readonly sentence: string;
}

/** Of all harmless challengers at most this share is sent back, over all monitors and looks. */
const ALPHA = 0.05;
/** Evidence that is not enough to send back, but too much to go on. */
const SUSPICIOUS = Math.log(5);
/** Groups whose sizes do not fit their shares: at most 1 in 1,000 sound divisions. */
const MISFIT = Math.log(1000);
/** Challenger's users with a known outcome before it may go on. */
const MIN_USERS = 100;

/**
 * The next stage of a challenger that takes over from the live model. Harm is looked for with anytime-valid tests, so this
 * may be asked as often as one likes: `return` once a monitor's evidence of harm reaches 1 / (0.05 / monitors); `advance`
 * after the dwell, with enough users in groups of the right sizes and no suspicion of harm; else `hold`.
 */
export function nextStage(ramp: Ramp): RampStep {
  const { traffic, users, monitors } = ramp;
  const hold = (why: string): RampStep => ({
    action: "hold",
    traffic,
    sentence: `Held at ${percent(traffic)}: ${why}`,
  });
  const findings = monitors.map((monitor) => ({ monitor, evidence: evidenceOf(monitor) }));
  const limit = Math.log(monitors.length / ALPHA);
  const harm = findings.find(({ evidence }) => evidence >= limit);
  const sizes = shareMisfit(users);
  const sound = sizes < MISFIT;
  if (harm !== undefined && sound) {
    const sentence = `Sent back from ${percent(traffic)}: ${told(harm.monitor)}, with evidence of ${times(harm.evidence)} against the ${times(limit)} asked for`;
    return { action: "return", traffic: 0, sentence };
  }
  if (!sound)
    return hold(
      `its group has ${count(users, "treatmentEvents")} of ${count(users)} users, which its shares cannot explain (evidence of ${times(sizes)}): no comparison of the groups can be trusted`,
    );
  if (ramp.held_seconds < ramp.dwell_seconds)
    return hold(`for ${Math.round(ramp.held_seconds)} of ${ramp.dwell_seconds} seconds so far`);
  const known = count(users, "treatmentEvents");
  if (known < MIN_USERS) return hold(`the outcomes of ${known} of its users are known, and ${MIN_USERS} are needed`);
  const suspicion = findings.find(({ evidence }) => evidence >= SUSPICIOUS);
  if (suspicion !== undefined)
    return hold(
      `${told(suspicion.monitor)}, with evidence of ${times(suspicion.evidence)}: too little to send it back, too much to go on`,
    );
  const next = ramp.shares.find((share) => share > traffic) ?? 1;
  const sentence =
    next >= 1
      ? `Live: in its ramp to ${percent(traffic)} nothing was worse than with the model it replaces, by the outcomes of ${known} of its users`
      : `From ${percent(traffic)} to ${percent(next)}: nothing was worse, by the outcomes of ${known} of its users`;
  return { action: "advance", traffic: next, sentence };
}

function evidenceOf({ outcomes, harmful, margin }: Monitor): number {
  return shareEProcess(outcomes, harmful, harmful === "decrease" ? Math.max(0.01, 1 - margin) : 1 + margin).highest;
}

function told({ name, harmful, outcomes, margin }: Monitor): string {
  const beyond = margin > 0 ? ` by more than the tolerated ${percent(margin)}` : "";
  const control = outcomes.reduce((sum, batch) => sum + batch.controlEvents, 0);
  const treatment = outcomes.reduce((sum, batch) => sum + batch.treatmentEvents, 0);
  return `${name} ${harmful}d${beyond} (outcomes of its group ${shown(treatment)}, of the others ${shown(control)})`;
}

function count(users: readonly ShareBatch[], group?: "treatmentEvents"): number {
  return users.reduce((sum, batch) => sum + batch.treatmentEvents + (group === undefined ? batch.controlEvents : 0), 0);
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

function times(logE: number): string {
  return `${Number(Math.exp(Math.min(logE, 50)).toPrecision(3))}`;
}

function shown(outcomes: number): string {
  return `${Number(outcomes.toFixed(1))}`;
}
