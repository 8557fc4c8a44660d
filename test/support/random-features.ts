import fc from "fast-check";
import type { Condition } from "../../core/feature/condition.ts";
import type { Feature, Step } from "../../core/feature/feature.ts";
import { OPERATORS, OperatorName } from "../../core/feature/operators.ts";
import type { Json } from "../../core/json.ts";

export const VARIANTS = ["on", "off", "blue"];

/** Attributes that random users have and random conditions ask about. */
export const NAMES = [
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

/** An attribute's value. */
export const json = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom(...NAMES), scalar, { maxKeys: 3 }),
);

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
const variant = fc.constantFrom(...VARIANTS);
const split = fc.tuple(
  fc.nat(100_000),
  variant,
  fc.option(variant),
  unit,
  fc.array(fc.record({ percentage, unit }), { maxLength: 2 }),
);

/** A strategy and its config. */
type Configured = readonly [strategy: string, config: Json];

export interface Asked {
  /** Keys that conditions ask about. */
  readonly features: readonly string[];
  readonly segments: readonly string[];
  /** Steps besides those of the built-in strategies. Default: none. */
  readonly more?: readonly fc.Arbitrary<Configured>[];
}

/** Random conditions, and features whose steps use them. */
export function randomFeatures({ features, segments, more = [] }: Asked) {
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      comparison,
      fc.boolean(),
      fc.record({ segment: fc.constantFrom(...segments) }),
      fc.record({
        feature: fc.constantFrom(...features),
        variant: fc.constantFrom(undefined, ["on"], ["blue", "none"]),
      }),
      fc.record({ percentage, unit }).map((gate) => ({ gate })),
      fc.array(tie("condition"), { maxLength: 3 }).map((all) => ({ all })),
      fc.array(tie("condition"), { maxLength: 3 }).map((any) => ({ any })),
      tie("condition").map((not) => ({ not })),
    ),
  }));
  const config: fc.Arbitrary<Configured> = fc.oneof(
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
    ...more,
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
  return { condition, feature };
}

type Draft = ReturnType<typeof randomFeatures>["feature"] extends fc.Arbitrary<infer T> ? T : never;

/** As stored, but not completed and not checked. */
export function toFeature(key: string, { steps, ...rest }: Draft): Feature {
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
