import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile, type Snapshot } from "../../../core/engine/snapshot.ts";
import type { Timing } from "../../../core/engine/timing.ts";
import type { Evaluator, Strategy, User, Verdict } from "../../../core/strategy.ts";
import { makeConfiguration, makeFeature, withStrategies } from "../../support/make-configuration.ts";

/** A clock that stands still until it is moved. */
function makeTime(): Timing & { pass(milliseconds: number): void; readonly waiting: () => number } {
  let now = 0;
  const deadlines = new Set<{ at: number; expired: () => void }>();
  return {
    clock: () => now,
    deadline(milliseconds, expired) {
      const entry = { at: now + milliseconds, expired };
      deadlines.add(entry);
      return () => deadlines.delete(entry);
    },
    pass(milliseconds) {
      now += milliseconds;
      for (const entry of deadlines)
        if (entry.at <= now) {
          deadlines.delete(entry);
          entry.expired();
        }
    },
    waiting: () => deadlines.size,
  };
}

function makeStrategy(evaluator: Evaluator, more: Partial<Strategy> = {}): Strategy {
  return { id: "mine", contract: 1, summary: "For tests", config: z.unknown(), prepare: () => evaluator, ...more };
}

function snapshotOf(strategy: Strategy, timing: Timing, previous?: Snapshot, budget_ms?: number): Snapshot {
  const strategies = withStrategies(strategy);
  const step = {
    id: "s",
    strategy: "mine",
    on_failure: "next" as const,
    ...(budget_ms === undefined ? {} : { budget_ms }),
  };
  const feature = makeFeature({ key: "timed", steps: [step] }, { strategies });
  return compile(makeConfiguration({ features: [feature] }), strategies, { timing, previous });
}

const NOW = { now: 0 };

describe("the budget", () => {
  test("a synchronous verdict that came too late is not used", () => {
    const time = makeTime();
    let takes = 50;
    const snapshot = snapshotOf(
      makeStrategy(() => {
        time.pass(takes);
        return { variant: "on" };
      }),
      time,
    );
    expect(evaluate(snapshot, "timed", {}, NOW)).toMatchObject({ variant: "on", fallback: null });
    takes = 51;
    expect(evaluate(snapshot, "timed", {}, NOW)).toMatchObject({
      variant: "off",
      fallback: { from: "s", cause: "timeout" },
    });
  });

  test("a strategy that calls itself bounded is not timed", () => {
    const time = makeTime();
    const slow = makeStrategy(
      () => {
        time.pass(1000);
        return { variant: "on" };
      },
      { bounded: true },
    );
    expect(evaluate(snapshotOf(slow, time), "timed", {}, NOW)).toMatchObject({ variant: "on" });
  });

  test("a promise races the deadline; what comes later is dropped", async () => {
    const time = makeTime();
    let settle: ((verdict: never) => void) | undefined;
    const hanging = makeStrategy(
      () =>
        new Promise((_, reject) => {
          settle = reject;
        }),
    );
    const decision = evaluate(snapshotOf(hanging, time, undefined, 20), "timed", {}, NOW);
    time.pass(19);
    expect(time.waiting()).toBe(1);
    time.pass(1);
    expect(await decision).toMatchObject({ variant: "off", fallback: { from: "s", cause: "timeout" } });
    settle?.(new Error("too late to matter") as never);
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("a promise in time leaves no deadline behind", async () => {
    const time = makeTime();
    const snapshot = snapshotOf(
      makeStrategy(() => Promise.resolve({ variant: "on" })),
      time,
    );
    expect(await evaluate(snapshot, "timed", {}, NOW)).toMatchObject({ variant: "on" });
    expect(time.waiting()).toBe(0);
  });
});

describe("what others' strategies may not do", () => {
  const decideWith = (evaluator: Evaluator, user: User = {}) =>
    evaluate(snapshotOf(makeStrategy(evaluator), makeTime()), "timed", user, NOW);

  test("something with a `then` that throws is an error of its step, and leaves no deadline behind", async () => {
    const time = makeTime();
    const odd = makeStrategy(() => {
      // biome-ignore lint/suspicious/noThenProperty: that is the point
      return { then: () => raise("not a promise") } as unknown as Promise<Verdict>;
    });
    expect(await evaluate(snapshotOf(odd, time), "timed", {}, NOW)).toMatchObject({
      variant: "off",
      fallback: { from: "s", cause: "error" },
    });
    expect(time.waiting()).toBe(0);
  });

  test("a verdict that changes between two looks is served as it was checked, or is its step's failure", () => {
    for (let good = 0; good < 5; good += 1) {
      let looks = 0;
      const fickle = {
        get variant() {
          looks += 1;
          return looks <= good ? "on" : "undeclared";
        },
      };
      const { variant, fallback } = decideWith(() => fickle) as Decision;
      expect([variant, fallback]).toEqual(
        variant === "on" ? ["on", null] : ["off", { from: "s", cause: "invalid_verdict" }],
      );
    }
  });

  test("a field of the engine's own in a verdict is not looked at", () => {
    const forged = { abstain: "no_match", failed: "a cause of mine" } as Verdict;
    expect(decideWith(() => forged)).toMatchObject({ variant: "off", fallback: null });
  });

  test("what a strategy writes to its ask reaches neither the caller nor the decision", () => {
    const user = { user_id: "ada", plan: "team" };
    const decision = decideWith((ask) => {
      const writable = ask as { user: Record<string, unknown> };
      delete writable.user.plan;
      writable.user.user_id = "eve";
      writable.user = {};
      return { variant: "on" };
    }, user);
    expect(decision).toMatchObject({ user_id: "ada", variant: "on" });
    expect(user).toEqual({ user_id: "ada", plan: "team" });
  });
});

function raise(message: string): never {
  throw new Error(message);
}

describe("the circuit breaker", () => {
  function failing() {
    const time = makeTime();
    const state = { calls: 0, works: false };
    const strategy = makeStrategy(() => {
      state.calls += 1;
      if (!state.works) throw new Error("down");
      return { variant: "on" };
    });
    const ask = (snapshot: Snapshot) => (evaluate(snapshot, "timed", {}, NOW) as Decision).fallback?.cause;
    return { time, state, strategy, ask };
  }

  test("opens after five failures in a row, tries again after ten seconds, and closes", () => {
    const { time, state, strategy, ask } = failing();
    const snapshot = snapshotOf(strategy, time);
    for (let call = 0; call < 5; call += 1) expect(ask(snapshot)).toBe("error");
    expect(ask(snapshot)).toBe("open_circuit");
    time.pass(9_999);
    expect(ask(snapshot)).toBe("open_circuit");
    expect(state.calls).toBe(5);
    time.pass(1);
    expect(ask(snapshot)).toBe("error");
    expect(ask(snapshot)).toBe("open_circuit");
    state.works = true;
    time.pass(10_000);
    expect(ask(snapshot)).toBeUndefined();
    expect(ask(snapshot)).toBeUndefined();
    expect(state.calls).toBe(8);
  });

  test("a success in between starts the count again; an abstention is no failure", () => {
    const { time, state, strategy, ask } = failing();
    const snapshot = snapshotOf(strategy, time);
    for (let call = 0; call < 4; call += 1) ask(snapshot);
    state.works = true;
    ask(snapshot);
    state.works = false;
    for (let call = 0; call < 5; call += 1) expect(ask(snapshot)).toBe("error");
    const unsure = snapshotOf(
      makeStrategy(() => ({ abstain: "low_confidence" })),
      makeTime(),
    );
    for (let call = 0; call < 10; call += 1) expect(ask(unsure)).toBe("low_confidence");
  });

  test("outlives the snapshot", () => {
    const { time, strategy, ask } = failing();
    const snapshot = snapshotOf(strategy, time);
    for (let call = 0; call < 5; call += 1) ask(snapshot);
    expect(ask(snapshotOf(strategy, time, snapshot))).toBe("open_circuit");
    expect(ask(snapshotOf(strategy, time))).toBe("error");
  });

  test("lets one call through when half-open, however many ask", async () => {
    const time = makeTime();
    const settle: ((error: Error) => void)[] = [];
    const snapshot = snapshotOf(
      makeStrategy(
        () =>
          new Promise((_, reject) => {
            settle.push(reject);
          }),
      ),
      time,
    );
    const first = Array.from({ length: 5 }, () => evaluate(snapshot, "timed", {}, NOW));
    for (const reject of settle) reject(new Error("down"));
    await Promise.all(first);
    time.pass(10_000);
    const trial = evaluate(snapshot, "timed", {}, NOW);
    expect(evaluate(snapshot, "timed", {}, NOW)).toMatchObject({ fallback: { cause: "open_circuit" } });
    settle.at(-1)?.(new Error("still down"));
    expect(await trial).toMatchObject({ fallback: { cause: "error" } });
    expect(settle.length).toBe(6);
  });
});
