import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import { Condition } from "../../../core/feature/condition.ts";
import type { Strategy, User, Verdict } from "../../../core/strategy.ts";
import { makeConfiguration, withStrategies } from "../../support/make-configuration.ts";
import { json, NAMES, randomFeatures, toFeature, VARIANTS } from "../../support/random-features.ts";

// 2,500 random configurations x 41 random users = 102,500 evaluations, each of them explained for one user in four.
const CONFIGURATIONS = 2500;
const USERS = 41;

const KEYS = ["feature-a", "feature-b", "feature-c"];

/** Users as JSON brings them, and as a program might. */
const user: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: fc.dictionary(fc.constantFrom(...NAMES), json, { maxKeys: 6, noNullPrototype: false }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, undefined, 7, "user", [], Symbol("user"), () => "user") },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(hostile(), new Map([["plan", "pro"]]), Number.NaN, {
      plan: undefined,
      age: 1n,
    }),
  },
);

function hostile(): object {
  const refuse = () => {
    throw new Error("gotcha");
  };
  return Object.defineProperties(
    {},
    Object.fromEntries(NAMES.map((name) => [name, { get: refuse, enumerable: true }])),
  );
}

const { condition, feature } = randomFeatures({
  features: [...KEYS, "missing"],
  segments: ["one", "two", "missing"],
  more: [
    fc.constant(["missing", {}] as const),
    fc.constant(["hash-bucketing", { arms: "none" }] as const),
    fc
      .constantFrom("on", "purple", "constructor", "throw", "undefined", "nan", "asks")
      .map((answer) => ["odd", answer] as const),
  ],
});

const odd: Strategy<string> = {
  id: "odd",
  contract: 1,
  summary: "Does what strategies should not",
  config: z.string(),
  prepare: (answer) => (ask) => {
    if (answer === "throw") throw new Error("no luck");
    if (answer === "undefined") return undefined as unknown as Verdict;
    if (answer === "asks") return { variant: ask.variantOf("feature-b") ?? "on" };
    return answer === "nan" ? { variant: "on", confidence: Number.NaN } : { variant: answer };
  },
};
const strategies = withStrategies(odd);

test("no random feature or user makes evaluate() throw, or serve what was not declared", () => {
  let evaluations = 0;
  fc.assert(
    fc.property(
      fc.tuple(feature, feature, feature),
      fc.tuple(condition, condition),
      fc.array(user, { minLength: USERS, maxLength: USERS }),
      (drafts, [one, two], users) => {
        for (const found of [one, two]) expect(Condition.safeParse(found).success).toBe(true);
        const segments = [one, two].map((found, index) => ({
          environment: "production",
          key: index === 0 ? "one" : "two",
          name: "",
          condition: found,
          version: 1,
          created_at: "",
          updated_at: "",
        }));
        const features = drafts.map((draft, index) => toFeature(KEYS[index] as string, draft));
        const snapshot = compile(makeConfiguration({ features, segments }), strategies);
        for (const [index, someone] of users.entries()) {
          const key = KEYS[index % KEYS.length] as string;
          const decision = evaluate(snapshot, key, someone as User, { now: 0 }) as Decision;
          evaluations += 1;
          if (!VARIANTS.includes(decision.variant as string)) throw new Error(`Served ${decision.variant}`);
          if (index % 4 > 0) continue;
          const { trace, ...explained } = evaluate(snapshot, key, someone as User, {
            now: 0,
            explain: true,
          }) as Decision;
          expect(explained).toEqual(decision);
          JSON.stringify(trace);
        }
      },
    ),
    { numRuns: CONFIGURATIONS },
  );
  expect(evaluations).toBeGreaterThanOrEqual(100_000);
}, 120_000);
