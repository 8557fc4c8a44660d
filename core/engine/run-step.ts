import type { FallbackCause } from "../decision/decision.ts";
import type { Ask, Decide, Evaluator, Verdict } from "../strategy.ts";
import { type Breaker, isOpen, lets, reportFailure, reportNothing, reportSuccess } from "./breaker.ts";
import { ownUser } from "./own-user.ts";
import type { Timing } from "./timing.ts";
import { checkVerdict, ownVerdict } from "./verdict.ts";

/** What is needed to ask one step's strategy. */
export interface Runnable {
  readonly evaluate: Evaluator;
  /** Milliseconds. */
  readonly budget: number;
  /** The strategy is quick and careful by construction: no stopwatch, and neither its ask nor its verdict is copied. */
  readonly bounded: boolean;
  readonly breaker: Breaker;
  /** Names the feature declares. */
  readonly variants: ReadonlyMap<string, unknown>;
  /** Why this step can never be asked; null when it can. */
  readonly broken: Failure | null;
}

/** The step should have decided and could not. */
export interface Failure {
  readonly failed: FallbackCause;
  /** In words: what was tried and what was found. */
  readonly detail: string;
}

/** A verdict here is sound: a declared variant or an abstention, its numbers numbers. */
export type Answer = Verdict | Failure;

/**
 * Asks a step and contains it: whatever it does, the answer is sound or a Failure with its cause. `patient` false means a
 * promise cannot be waited for, which is a timeout.
 */
export function runStep(
  step: Runnable,
  ask: Ask,
  timing: Timing | undefined,
  patient: boolean,
): Answer | Promise<Answer> {
  if (step.broken !== null) return step.broken;
  if (isOpen(step.breaker) && timing !== undefined && !lets(step.breaker, timing.clock())) return OPEN_CIRCUIT;
  const watched = step.bounded ? undefined : timing;
  const started = watched === undefined ? 0 : watched.clock();
  try {
    const verdict: unknown = step.evaluate(step.bounded ? ask : ownAsk(ask));
    if (isPromise(verdict, step.bounded)) return patient ? wait(step, verdict, started, timing) : refuse(step, verdict);
    const late = watched === undefined ? undefined : overrun(step, watched.clock() - started);
    return late === undefined ? accept(step, timing, verdict) : fail(step, timing, late);
  } catch (error) {
    return fail(step, timing, { failed: "error", detail: messageOf(error) });
  }
}

const OPEN_CIRCUIT: Failure = { failed: "open_circuit", detail: "Failed too often in a row, not asked for a while" };

/** For the strategy alone: whatever it writes there, the caller's user and the next step's ask stay as they are. */
function ownAsk(ask: Ask): Ask {
  const { user, now, explain, profile } = ask;
  return { user: ownUser(user), now, explain, profile, variantOf: (key) => ask.variantOf(key) };
}

/** A synchronous verdict that came too late is not used: it would teach callers to wait. */
function overrun({ budget }: Runnable, took: number): Failure | undefined {
  if (took <= budget) return undefined;
  return { failed: "timeout", detail: `Took ${Math.round(took * 10) / 10} ms of ${budget} ms` };
}

function isPromise(verdict: unknown, bounded: boolean): verdict is PromiseLike<unknown> {
  if (typeof verdict !== "object" || verdict === null) return false;
  // Asking every verdict for `then` shows in the figures; a getter of an unbounded one may count how often it is read.
  if (bounded && (verdict as Partial<Decide>).variant !== undefined) return false;
  return typeof (verdict as { then?: unknown }).then === "function";
}

/** Whatever comes first: the verdict or the deadline. What comes after that is dropped, a late rejection too. */
function wait(
  step: Runnable,
  verdict: PromiseLike<unknown>,
  started: number,
  timing: Timing | undefined,
): Promise<Answer> {
  return new Promise((resolve) => {
    let over = false;
    const finish = (answer: () => Answer) => {
      if (over) return;
      over = true;
      cancel();
      resolve(answer());
    };
    const left = timing === undefined ? 0 : step.budget - (step.bounded ? 0 : timing.clock() - started);
    const cancel =
      timing?.deadline(Math.max(0, left), () =>
        finish(() => fail(step, timing, { failed: "timeout", detail: `No verdict within ${step.budget} ms` })),
      ) ?? (() => {});
    const rejected = (error: unknown) =>
      finish(() => fail(step, timing, { failed: "error", detail: messageOf(error) }));
    try {
      verdict.then((value) => finish(() => acceptLate(step, timing, value)), rejected);
    } catch (error) {
      rejected(error); // no promise of the language, only something with a `then`
    }
  });
}

/** A verdict's getters may throw where no caller's catch is left. */
function acceptLate(step: Runnable, timing: Timing | undefined, verdict: unknown): Answer {
  try {
    return accept(step, timing, verdict);
  } catch (error) {
    return fail(step, timing, { failed: "error", detail: messageOf(error) });
  }
}

function refuse(step: Runnable, verdict: PromiseLike<unknown>): Failure {
  verdict.then(undefined, () => {});
  reportNothing(step.breaker);
  return { failed: "timeout", detail: "Answers with a promise, which cannot be waited for inside a prerequisite" };
}

function accept(step: Runnable, timing: Timing | undefined, answered: unknown): Answer {
  const verdict = step.bounded ? answered : ownVerdict(answered);
  const problem = checkVerdict(verdict, step.variants);
  if (problem !== undefined) return fail(step, timing, { failed: "invalid_verdict", detail: problem });
  if (step.breaker.failures !== 0) reportSuccess(step.breaker);
  return verdict as Verdict;
}

function fail(step: Runnable, timing: Timing | undefined, failure: Failure): Failure {
  if (timing !== undefined) reportFailure(step.breaker, timing.clock());
  return failure;
}

export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "Threw something that cannot be shown";
  }
}
