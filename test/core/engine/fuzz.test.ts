import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import { Condition } from "../../../core/feature/condition.ts";
import type { Feature, Step } from "../../../core/feature/feature.ts";
import { OPERATORS, OperatorName } from "../../../core/feature/operators.ts";
import type { Json } from "../../../core/json.ts";
import type { Strategy, User, Verdict } from "../../../core/strategy.ts";
import { makeConfiguration, withStrategies } from "../../support/make-configuration.ts";

// 2,500 random configurations x 41 random users = 102,500 evaluations, each of them explained for one user in four.
const CONFIGURATIONS = 2500;
const USERS = 41;

const VARIANTS = ["on", "off", "blue"];
const KEYS = ["feature-a", "feature-b", "feature-c"];
const NAMES = [
  "user_id",
  "plan",
  "age",
  "version",
  "ip",
  "at",
  "groups",
  "org",
  "__proto__",
  "constructor",
  "toString",
];

const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    "pro",
    "",
    "1.2.3",
    "10.0.0.1",
    "::1",
    "2026-11-30T12:00:00Z",
    "user-1",
    "\ud800",
    0,
    1,
    -0.5,
    1e300,
  ),
  fc.constantFrom<Json>(true, false, null),
  fc.string({ maxLength: 8 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const json = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom(...NAMES), scalar, { maxKeys: 3 }),
);

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

const attribute = fc.constantFrom(...NAMES.map((name) => `/${name}`), "/groups/0", "/org/plan", "/org/__proto__/plan");
const operand: Readonly<Record<string, Json>> = {
  matches: "^p",
  not_matches: "(a+)+$",
  between: [0, 10],
  ip_in_cidr: "10.0.0.0/8",
};
const comparison = fc
  .tuple(fc.constantFrom(...OperatorName.options), attribute, json)
  .map(([op, pointer, value]): Condition => {
    const sound = [value, operand[op], "1.2.3", 5, "2026-01-01T00:00:00Z", ["pro", "team"], undefined].find(
      (candidate) => {
        try {
          OPERATORS[op].compile(candidate);
          return true;
        } catch {
          return false;
        }
      },
    );
    return { attribute: pointer, op, ...(sound === undefined ? {} : { value: sound }) };
  });
const percentage = fc.nat(100_000).map((thousandths) => thousandths / 1000);
const unit = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 });
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    comparison,
    fc.boolean(),
    fc.record({ segment: fc.constantFrom("one", "two", "missing") }),
    fc.record({
      feature: fc.constantFrom(...KEYS, "missing"),
      variant: fc.constantFrom(undefined, ["on"], ["blue", "none"]),
    }),
    fc.record({ percentage, unit }).map((gate) => ({ gate })),
    fc.array(tie("condition"), { maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie("condition"), { maxLength: 3 }).map((any) => ({ any })),
    tie("condition").map((not) => ({ not })),
  ),
}));

const variant = fc.constantFrom(...VARIANTS);
const split = fc.tuple(
  fc.nat(100_000),
  variant,
  fc.option(variant),
  unit,
  fc.array(fc.record({ percentage, unit }), { maxLength: 2 }),
);
const config: fc.Arbitrary<readonly [strategy: string, config: Json]> = fc.oneof(
  split.map(([cut, one, other, by, traffic]) => {
    const arms = [
      { variant: one, weight: cut / 1000 },
      { variant: other, weight: (100_000 - cut) / 1000 },
    ];
    return ["hash-bucketing", { unit: by, arms, traffic }] as const;
  }),
  fc
    .array(fc.record({ when: condition, variant }), { minLength: 1, maxLength: 4 })
    .map((rules) => ["rule-filters", { rules } as unknown as Json] as const),
  fc.constant(["ml-model", {}] as const),
  fc.constant(["ml-model", { mode: "propensity" }] as const),
  fc.constant(["missing", {}] as const),
  fc.constant(["hash-bucketing", { arms: "none" }] as const),
  fc
    .constantFrom("on", "purple", "constructor", "throw", "undefined", "nan", "asks")
    .map((answer) => ["odd", answer] as const),
);
const step = fc.record({
  config,
  when: fc.option(condition),
  on_failure: fc.constantFrom<Step["on_failure"]>("next", "fallback"),
});
const feature = fc.record({
  steps: fc.array(step, { maxLength: 4 }),
  enabled: fc.constantFrom(true, true, true, false),
  off_variant: variant,
  fallback_variant: variant,
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

function toFeature(key: string, { steps, ...rest }: typeof feature extends fc.Arbitrary<infer T> ? T : never): Feature {
  return {
    id: 1,
    environment: "production",
    key,
    name: key,
    description: null,
    type: "string",
    variants: { on: "1", off: "0", blue: "#00f" },
    ...rest,
    steps: steps.map(({ config: [strategy, settings], when, on_failure }, index) => ({
      id: `s${index}`,
      strategy,
      config: settings,
      on_failure,
      ...(when === null ? {} : { when }),
    })),
    objective: null,
    tags: [],
    owner: null,
    expires_at: null,
    version: 1,
    created_at: "",
    updated_at: "",
  };
}

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
