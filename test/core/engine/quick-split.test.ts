import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { compileSplit } from "../../../core/bucketing/compile-split.ts";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile, type Snapshot } from "../../../core/engine/snapshot.ts";
import type { Evaluator, Strategy, User } from "../../../core/strategy.ts";
import { makeConfiguration, makeFeature, STRATEGIES, withStrategies } from "../../support/make-configuration.ts";

const TIMING = { clock: () => 0, deadline: () => () => {} };
const NOW = { now: 0 };

function ask(snapshot: Snapshot, user: unknown, more: object = {}): Decision {
  return evaluate(snapshot, "halves", user as User, { ...NOW, ...more }) as Decision;
}

const weights = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
const users = fc.oneof(
  fc.record({ user_id: fc.string(), org_id: fc.string() }, { requiredKeys: [] }),
  fc.record({ user_id: fc.oneof(fc.double(), fc.boolean(), fc.constant(null), fc.constant([])) }),
  fc.constant({
    get user_id(): string {
      throw new Error("gotcha");
    },
  }),
);

property.prop([
  weights,
  fc.integer({ min: 0, max: 5 }),
  fc.constantFrom(["user_id"], ["org_id", "user_id"], ["user_id", "org_id"]),
  fc.boolean(),
  fc.array(users, { minLength: 1, maxLength: 20 }),
])(
  "users are placed the same whether their step is asked, which explaining does, or not",
  (parts, left, unit, gated, asked) => {
    const total = parts.reduce((sum, part) => sum + part, 0);
    const arms = parts.map((part, index) => ({
      variant: index === left ? null : index % 2 === 0 ? "on" : "off",
      weight: Math.round((part / total) * 1000) / 10,
    }));
    const rest = arms.slice(1).reduce((sum, { weight }) => sum + weight, 0);
    const split = arms.map((arm, index) =>
      index === 0 ? { ...arm, weight: Math.round((100 - rest) * 10) / 10 } : arm,
    );
    const config = { unit, arms: split, ...(gated ? { traffic: [{ percentage: 50 }] } : {}) };
    const step = { id: "split", strategy: "hash-bucketing", on_failure: "next" as const, config };
    const feature = makeFeature({ key: "halves", steps: [step] });
    const plain = compile(makeConfiguration({ features: [feature] }), STRATEGIES, { timing: TIMING });
    const explaining = compile(makeConfiguration({ features: [feature] }), STRATEGIES, { timing: TIMING });
    for (const user of asked) {
      const { trace, ...explained } = ask(explaining, user, { explain: true });
      expect(trace).toBeDefined();
      expect(ask(plain, user)).toEqual(explained);
    }
  },
);

describe("a strategy that declares its split", () => {
  function prepared(answers: readonly string[], decide: Evaluator = () => ({ abstain: "low_confidence" })) {
    const state = { calls: 0 };
    const strategy: Strategy = {
      id: "mine",
      contract: 1,
      summary: "Divides users by halves",
      config: z.unknown(),
      bounded: true,
      prepare() {
        const arms = answers.map((variant) => ({ variant, weight: 100 / answers.length }));
        const evaluator: Evaluator = (asked) => {
          state.calls += 1;
          return decide(asked);
        };
        evaluator.split = {
          split: compileSplit({ unit: ["user_id"], arms }, "mine"),
          verdicts: answers.map((variant) => ({ variant, source: "halves", probability: 0.5 })),
        };
        return evaluator;
      },
    };
    const strategies = withStrategies(strategy);
    const step = { id: "s", strategy: "mine", on_failure: "next" as const };
    const feature = makeFeature({ key: "halves", steps: [step] }, { strategies });
    const snapshot = compile(makeConfiguration({ features: [feature] }), strategies, { timing: TIMING });
    return { snapshot, state };
  }

  test("is not asked about users with an id, and its decisions say what it declared", () => {
    const { snapshot, state } = prepared(["on", "off"]);
    const found = Array.from({ length: 50 }, (_, index) => ask(snapshot, { user_id: `user-${index}` }));
    expect(new Set(found.map(({ variant }) => variant))).toEqual(new Set(["on", "off"]));
    for (const decision of found)
      expect(decision).toMatchObject({
        decision_source: "halves",
        reason: "TARGETING_MATCH",
        probability: 0.5,
        step: "s",
      });
    expect(ask(snapshot, { user_id: "user-1" }, { stale: true }).reason).toBe("STALE");
    expect(state.calls).toBe(0);
  });

  test("is asked about users without an id, and to explain", () => {
    const { snapshot, state } = prepared(["on", "off"]);
    expect(ask(snapshot, {}).fallback).toEqual({ from: "s", cause: "low_confidence" });
    expect(ask(snapshot, { user_id: "user-1" }, { explain: true }).trace?.steps[0]?.cause).toBe("low_confidence");
    expect(state.calls).toBe(2);
  });

  test("is asked when it declares a variant that does not exist", () => {
    const { snapshot, state } = prepared(["on", "purple"]);
    expect(ask(snapshot, { user_id: "user-1" }).fallback?.cause).toBe("low_confidence");
    expect(state.calls).toBe(1);
  });

  test("has a circuit breaker like any other", () => {
    const { snapshot } = prepared(["on", "off"], () => {
      throw new Error("down");
    });
    for (let call = 0; call < 5; call += 1) expect(ask(snapshot, {}).fallback?.cause).toBe("error");
    expect(ask(snapshot, { user_id: "user-1" }).fallback?.cause).toBe("open_circuit");
  });

  test("gives every caller a decision of their own", () => {
    const { snapshot } = prepared(["on", "off"]);
    const before = ask(snapshot, { user_id: "user-1" });
    const copy = structuredClone(before);
    const changed = ask(snapshot, { user_id: "user-1" }) as unknown as Record<string, unknown>;
    for (const field of Object.keys(changed)) changed[field] = "changed";
    expect(before).toEqual(copy);
    expect(ask(snapshot, { user_id: "user-1" })).toEqual(copy);
  });
});
