import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Decision } from "../../../core/decision/decision.ts";
import { evaluate, evaluateAll } from "../../../core/engine/evaluate.ts";
import { compile } from "../../../core/engine/snapshot.ts";
import type { Experiment } from "../../../core/experiment/experiment.ts";
import type { Feature } from "../../../core/feature/feature.ts";
import type { Configuration } from "../../../core/ports.ts";
import type { Evaluator, Strategy, User, Verdict } from "../../../core/strategy.ts";
import { makeConfiguration, makeFeature, withStrategies } from "../../support/make-configuration.ts";

/** A strategy that answers whatever it is told to. */
function strategyOf(id: string, evaluator: Evaluator, more: Partial<Strategy> = {}): Strategy {
  return { id, contract: 1, summary: "For tests", config: z.unknown(), prepare: () => evaluator, ...more };
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  on: { variant: "on" },
  abstains: { abstain: "no_match" },
  unsure: { abstain: "low_confidence", score: 0.4, threshold: 0.5 },
  liar: { variant: "purple" },
  nothing: undefined,
  text: "on",
  inherited: { variant: "constructor" },
  "bad-score": { variant: "on", score: Number.NaN },
  "bad-probability": { variant: "on", probability: 1.5 },
  "bad-reason": { variant: "on", reason: "BECAUSE" },
  "bad-cause": { abstain: "lazy" },
};

const strategies = withStrategies(
  ...Object.entries(ANSWERS).map(([id, answer]) => strategyOf(id, () => answer as Verdict)),
  ...Object.entries(ANSWERS).map(([id, answer]) =>
    strategyOf(`later-${id}`, () => Promise.resolve().then(() => answer as Verdict)),
  ),
  strategyOf("throws", () => {
    throw new Error("no luck");
  }),
  strategyOf("rejects", () => Promise.reject(new Error("no luck"))),
  strategyOf("cannot-prepare", () => ({ variant: "on" }), {
    prepare() {
      throw new Error("no model file");
    },
  }),
);

type Written = { strategy: string } & Partial<Omit<Feature["steps"][number], "strategy">>;

function feature(key: string, steps: readonly Written[], more: object = {}): Feature {
  const written = steps.map((step, index) => ({ id: `s${index}`, on_failure: "next" as const, config: {}, ...step }));
  return makeFeature({ key, steps: written, ...more }, { strategies });
}

function ask(parts: Partial<Configuration>, key: string, user: unknown = { user_id: "user-1" }, more: object = {}) {
  return evaluate(compile(makeConfiguration(parts), strategies), key, user as User, { now: 0, ...more });
}

function decide(features: readonly Feature[], user: unknown = { user_id: "user-1" }, more: object = {}): Decision {
  const decision = ask({ features }, features[0]?.key ?? "", user, more);
  if (decision instanceof Promise) throw new Error("Nothing here answers with a promise");
  return decision;
}

const rollout = (percentage: number): Written => ({
  strategy: "hash-bucketing",
  config: {
    arms: [
      { variant: "on", weight: percentage },
      { variant: "off", weight: 100 - percentage },
    ],
  },
});

describe("evaluate()", () => {
  test("answers for a feature that does not exist", () => {
    expect(ask({}, "nowhere")).toMatchObject({
      feature_key: "nowhere",
      user_id: "user-1",
      enabled: false,
      variant: null,
      value: null,
      decision_source: "feature_not_found",
      reason: "ERROR",
      feature_version: null,
    });
    for (const key of ["__proto__", "constructor", ""])
      expect(ask({}, key)).toMatchObject({ decision_source: "feature_not_found" });
  });

  test("serves the off variant of a disabled feature without asking its steps", () => {
    const decision = decide([feature("disabled", [{ strategy: "on" }], { enabled: false })]);
    expect(decision).toMatchObject({ enabled: false, variant: "off", value: false });
    expect(decision).toMatchObject({ decision_source: "feature_disabled", reason: "DISABLED", fallback: null });
  });

  test("lets the first step that decides win", () => {
    const decision = decide([feature("first", [{ strategy: "abstains" }, { strategy: "on" }, rollout(0)])]);
    expect(decision).toMatchObject({ enabled: true, variant: "on", value: true, step: "s1", decision_source: "on" });
    expect(decision).toMatchObject({ reason: "TARGETING_MATCH", fallback: null, feature_version: 1 });
  });

  test("buckets as the vectors say, with its bucket and probability", () => {
    const checkout = makeFeature({ key: "new-checkout", rollout_percentage: 39.757 });
    expect(decide([checkout])).toMatchObject({ variant: "on", bucket: 39_756, probability: 0.39757, reason: "SPLIT" });
    expect(decide([checkout])).toMatchObject({ decision_source: "rollout", step: "rollout" });
    const narrower = makeFeature({ key: "new-checkout", rollout_percentage: 39.756 });
    expect(decide([narrower])).toMatchObject({ enabled: false, variant: "off", decision_source: "rollout" });
  });

  test("needs no user for 100 %, and says so", () => {
    expect(decide([feature("all", [rollout(100)])], {})).toMatchObject({
      variant: "on",
      reason: "STATIC",
      bucket: null,
    });
    expect(decide([feature("most", [rollout(99)])], {})).toMatchObject({
      variant: "off",
      decision_source: "fallback",
      reason: "DEFAULT",
      fallback: { from: "s0", cause: "missing_features" },
    });
  });

  test("names the cause of each failure and lets the next step decide", () => {
    const causes = { unsure: "low_confidence", throws: "error", "cannot-prepare": "error" };
    const invalid = Object.keys(ANSWERS).filter((id) => !["on", "abstains", "unsure"].includes(id));
    for (const [strategy, cause] of [...Object.entries(causes), ...invalid.map((id) => [id, "invalid_verdict"])])
      expect(decide([feature("failing", [{ strategy: strategy as string }, rollout(100)])]), strategy).toMatchObject({
        variant: "on",
        decision_source: "rollout",
        fallback: { from: "s0", cause },
      });
  });

  test("does the same when the answer is a promise", async () => {
    const causes: [string, string | null][] = [
      ["later-on", null],
      ["later-unsure", "low_confidence"],
      ["later-liar", "invalid_verdict"],
      ["rejects", "error"],
    ];
    for (const [strategy, cause] of causes) {
      const decision = await ask({ features: [feature("later", [{ strategy }, rollout(100)])] }, "later");
      expect(decision, strategy).toMatchObject({
        variant: "on",
        fallback: cause === null ? null : { from: "s0", cause },
      });
    }
  });

  test("keeps the first failure when several steps fail", () => {
    expect(decide([feature("two", [{ strategy: "unsure" }, { strategy: "throws" }])])).toMatchObject({
      decision_source: "fallback",
      fallback: { from: "s0", cause: "low_confidence" },
    });
  });

  test("goes straight to the fallback variant when a step says so", () => {
    const steps = [{ strategy: "throws", on_failure: "fallback" as const }, { strategy: "on" }];
    expect(decide([feature("strict", steps)])).toMatchObject({
      variant: "off",
      decision_source: "fallback",
      fallback: { from: "s0", cause: "error" },
    });
  });

  test("skips a step whose condition does not hold", () => {
    const when = { attribute: "/plan", op: "equals", value: "pro" } as const;
    const features = [feature("pro", [{ strategy: "on", when }])];
    expect(decide(features, { plan: "pro" })).toMatchObject({ variant: "on" });
    expect(decide(features, { plan: "free" })).toMatchObject({ decision_source: "fallback", fallback: null });
  });

  test("contains a step whose strategy is not loaded, and only that step", () => {
    const [known] = [feature("orphan", [{ strategy: "on" }, rollout(100)])];
    const features = [
      { ...known, steps: known.steps.map((step) => (step.id === "s0" ? { ...step, strategy: "gone" } : step)) },
    ];
    const decision = decide(features, undefined, { explain: true });
    expect(decision).toMatchObject({ variant: "on", fallback: { from: "s0", cause: "error" } });
    expect(decision.trace?.steps[0]?.detail).toContain('no strategy "gone"');
  });

  test("contains a feature that makes no sense, and only that feature", () => {
    const sound = feature("sound", [{ strategy: "on" }]);
    const broken = { ...sound, key: "broken", steps: null, off_variant: "off" } as unknown as Feature;
    const nonsense = { ...sound, key: "nonsense", variants: null } as unknown as Feature;
    const features = [broken, nonsense, sound];
    expect(ask({ features }, "sound")).toMatchObject({ variant: "on" });
    expect(ask({ features }, "broken")).toMatchObject({
      variant: "off",
      fallback: { from: "feature", cause: "error" },
    });
    expect(ask({ features }, "nonsense")).toMatchObject({
      variant: null,
      fallback: { from: "feature", cause: "error" },
    });
  });

  test("says STALE when the snapshot may be", () => {
    expect(decide([feature("stale", [rollout(100)])], undefined, { stale: true })).toMatchObject({ reason: "STALE" });
  });

  test("survives hostile users", () => {
    const features = [
      feature("hostile", [
        {
          strategy: "rule-filters",
          config: { rules: [{ when: { attribute: "/plan", op: "exists" }, variant: "on" }] },
        },
        rollout(50),
      ]),
    ];
    const hostile = {
      get user_id(): string {
        throw new Error("gotcha");
      },
      get plan(): string {
        throw new Error("gotcha");
      },
    };
    expect(decide(features, hostile)).toMatchObject({
      user_id: null,
      variant: "off",
      fallback: { from: "s0", cause: "error" },
    });
    for (const odd of [null, 1, "text", [], [1], () => {}, Object.create(null), new Map(), new Date()])
      expect(decide(features, odd)).toMatchObject({ user_id: null, fallback: { cause: "missing_features" } });
    class Account {
      get plan() {
        return "pro";
      }
    }
    expect(decide(features, new Account()), "inherited attributes are missing").toMatchObject({ variant: "off" });
    expect(decide(features, { user_id: 42, constructor: "x" })).toMatchObject({
      user_id: "42",
      decision_source: "rollout",
    });
  });

  describe("prerequisites", () => {
    const gated = (key: string, on: string) => feature(key, [{ ...rollout(100), when: { feature: on } }]);

    test("are decided for the same user in the same snapshot", () => {
      const parent = feature("parent", [rollout(50)]);
      const child = gated("child", "parent");
      for (let index = 0; index < 50; index += 1) {
        const user = { user_id: `user-${index}` };
        const features = [child, parent];
        expect(ask({ features }, "child", user)).toMatchObject({
          enabled: (ask({ features }, "parent", user) as Decision).enabled,
        });
      }
    });

    test("form chains, and a switched-off one switches off the rest", () => {
      const features = [gated("aaa", "bbb"), gated("bbb", "ccc"), feature("ccc", [rollout(100)])];
      expect(decide(features)).toMatchObject({ enabled: true });
      const off = features.map((found) => (found.key === "ccc" ? { ...found, enabled: false } : found));
      expect(decide(off)).toMatchObject({ enabled: false });
    });

    test("that lead back to themselves end, and so do chains that are too long", () => {
      expect(decide([gated("aaa", "bbb"), gated("bbb", "aaa")])).toMatchObject({ enabled: false });
      const chain = Array.from({ length: 300 }, (_, index) => gated(`f-${index}`, `f-${index + 1}`));
      expect(decide([...chain, feature("f-300", [rollout(100)])])).toMatchObject({ enabled: false });
    });

    test("are decided once each, however often they are asked about", () => {
      let calls = 0;
      const counting = strategyOf("counting", () => {
        calls += 1;
        return { variant: "on" };
      });
      const known = withStrategies(counting, ...strategies.values());
      const many = { all: Array.from({ length: 500 }, () => ({ feature: "parent" })) };
      const features = ["parent", "child"].map((key) =>
        makeFeature(
          {
            key,
            steps: [{ id: "s", strategy: "counting", on_failure: "next", ...(key === "child" ? { when: many } : {}) }],
          },
          { strategies: known },
        ),
      );
      const snapshot = compile(makeConfiguration({ features }), known);
      expect(evaluate(snapshot, "child", {}, { now: 0 })).toMatchObject({ variant: "on" });
      expect(calls).toBe(2);
    });

    test("cannot wait for a promise: the next step decides", () => {
      const parent = feature("parent", [{ strategy: "later-on" }, rollout(100)]);
      const features = [gated("child", "parent"), parent];
      expect(decide(features)).toMatchObject({ enabled: true });
      const alone = [gated("child", "parent"), feature("parent", [{ strategy: "rejects" }])];
      expect(decide(alone)).toMatchObject({ enabled: false });
    });
  });

  describe("experiments", () => {
    const experiment: Experiment = {
      id: 7,
      environment: "production",
      name: "Colour",
      feature_key: "colour",
      primary_metric_event: "bought",
      min_samples_per_variant: 100,
      min_lift: 0.02,
      alpha: 0.05,
      arms: [
        { name: "A", variant: "off", weight: 50 },
        { name: "B", variant: "on", weight: 50 },
      ],
      seed: "experiment-7",
      enabled: true,
      created_at: "",
      ended_at: null,
    };
    const colour = feature("colour", [rollout(100)]);

    test("decide before the steps, by their own seed", () => {
      const found = Array.from({ length: 400 }, (_, index) =>
        ask({ features: [colour], experiments: [experiment] }, "colour", { user_id: `user-${index}` }),
      ) as Decision[];
      const inB = found.filter(({ experiment: assigned }) => assigned?.variant === "B");
      expect(inB.length).toBeGreaterThan(150);
      expect(inB.length).toBeLessThan(250);
      for (const decision of found) {
        expect(decision).toMatchObject({
          decision_source: "experiment",
          reason: "SPLIT",
          probability: 0.5,
          fallback: null,
        });
        expect(decision.experiment).toMatchObject({ experiment_id: 7, experiment_name: "Colour" });
        expect(decision.enabled).toBe(decision.experiment?.variant === "B");
      }
    });

    test("leave users without user_id, disabled features and ended experiments to the rest", () => {
      const experiments = [experiment];
      expect(ask({ features: [colour], experiments }, "colour", {})).toMatchObject({ decision_source: "rollout" });
      const disabled = [{ ...colour, enabled: false }];
      expect(ask({ features: disabled, experiments }, "colour")).toMatchObject({ decision_source: "feature_disabled" });
      const ended = [{ ...experiment, enabled: false }];
      expect(ask({ features: [colour], experiments: ended }, "colour")).toMatchObject({ decision_source: "rollout" });
    });

    test("that serve an undeclared variant are passed over, with the cause", () => {
      const wrong = { ...experiment, arms: [{ name: "A", variant: "purple", weight: 100 }] };
      expect(ask({ features: [colour], experiments: [wrong] }, "colour")).toMatchObject({
        decision_source: "rollout",
        fallback: { from: "experiment", cause: "error" },
      });
    });
  });

  describe("explain", () => {
    test("keeps every step with its conditions, evidence and cause, and decides the same", () => {
      const features = [
        feature("traced", [
          { strategy: "on", when: { attribute: "/plan", op: "in", value: ["pro"] } },
          {
            strategy: "rule-filters",
            config: { rules: [{ id: "old", when: { attribute: "/age", op: "gt", value: 90 }, variant: "on" }] },
          },
          { strategy: "unsure" },
          rollout(100),
          { strategy: "on" },
        ]),
      ];
      const user = { user_id: "user-1", plan: "free" };
      const { trace, ...decision } = decide(features, user, { explain: true });
      expect(decision).toEqual({ ...decide(features, user) });
      expect(trace?.steps).toMatchObject([
        { id: "s0", outcome: "skipped", when: { result: "no", attribute: "/plan", expected: ["pro"], found: "free" } },
        { id: "s1", outcome: "abstained", cause: "no_match", evidence: { rules: [{ id: "old", result: "missing" }] } },
        { id: "s2", outcome: "failed", cause: "low_confidence", evidence: { score: 0.4, threshold: 0.5 } },
        { id: "s3", outcome: "decided", variant: "on", evidence: { seed: "traced" } },
        { id: "s4", outcome: "unreached", would: { outcome: "decided", variant: "on" } },
      ]);
      expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
    });

    test("says what a step that was not reached would have said, and neither counts nor believes its failures", () => {
      const snapshot = compile(
        makeConfiguration({
          features: [
            feature("rest", [
              rollout(100),
              { strategy: "throws" },
              { strategy: "on", when: { attribute: "/plan", op: "in", value: ["pro"] } },
              { strategy: "later-on" },
            ]),
          ],
        }),
        strategies,
      );
      for (let i = 0; i < 20; i++) {
        const decision = evaluate(snapshot, "rest", { user_id: "ada" }, { now: 0, explain: true }) as Decision;
        expect(decision.trace?.steps).toMatchObject([
          { outcome: "decided" },
          { outcome: "unreached", would: { outcome: "failed", cause: "error", detail: "no luck" } },
          { outcome: "unreached", would: { outcome: "skipped", when: { result: "missing" } } },
          { id: "s3", outcome: "unreached" },
        ]);
        expect(decision.trace?.steps[3]).not.toHaveProperty("would");
      }
    });

    test("is left out unless it is asked for", () => {
      expect(decide([feature("plain", [rollout(50)])])).not.toHaveProperty("trace");
      const disabled = feature("disabled", [rollout(50)], { enabled: false });
      expect(decide([disabled], undefined, { explain: true }).trace?.steps).toMatchObject([{ outcome: "unreached" }]);
    });

    test("leaves out evidence that is not JSON", () => {
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      const known = withStrategies(strategyOf("circular", () => ({ variant: "on", evidence: circular }) as never));
      const step = { id: "s", strategy: "circular", on_failure: "next" as const };
      const snapshot = compile(
        makeConfiguration({ features: [makeFeature({ key: "circle", steps: [step] }, { strategies: known })] }),
        known,
      );
      const decision = evaluate(snapshot, "circle", {}, { now: 0, explain: true }) as Decision;
      expect(decision.trace?.steps[0]).toEqual({ id: "s", strategy: "circular", outcome: "decided", variant: "on" });
    });
  });
});

describe("evaluateAll()", () => {
  const features = [
    feature("throws", [{ strategy: "throws" }, rollout(50)]),
    feature("plain", [rollout(50)]),
    feature("rejects", [{ strategy: "rejects" }]),
    feature("later", [{ strategy: "later-unsure" }, { strategy: "later-on" }]),
    feature("liar", [{ strategy: "liar" }]),
    feature("nothing", []),
    feature("asks", [{ strategy: "on", when: { feature: "throws" } }, rollout(0)]),
    feature("asks-too", [{ strategy: "on", when: { not: { feature: "throws" } } }, rollout(0)]),
    feature("disabled", [rollout(100)], { enabled: false }),
  ];
  const snapshot = compile(makeConfiguration({ features }), strategies);
  const keys = features.map(({ key }) => key);

  function all(asked: readonly string[] | undefined, user: unknown, more: object = {}): Promise<readonly Decision[]> {
    const decisions: (Decision | Promise<Decision>)[] = [];
    evaluateAll(snapshot, asked, user as User, { now: 0, ...more }, (decision) => decisions.push(decision));
    return Promise.all(decisions);
  }

  test.each([false, true])(
    "answers as evaluate() does, whatever the features before did (explain %s)",
    async (explain) => {
      const asked = ["no-such-feature", ...keys, ...keys.toReversed()];
      for (const user of [null, {}, ...Array.from({ length: 10 }, (_, at) => ({ user_id: `user-${at}` }))]) {
        const one = asked.map((key) => evaluate(snapshot, key, user as User, { now: 0, explain }));
        expect(await all(asked, user, { explain })).toEqual(await Promise.all(one));
      }
    },
  );

  test("decides every feature, in the snapshot's order, when no keys are given", async () => {
    const decisions = await all(undefined, { user_id: "user-1" });
    expect(decisions.map(({ feature_key }) => feature_key)).toEqual(keys);
    expect(decisions).toEqual(await all(keys, { user_id: "user-1" }));
  });

  test("decides what several features ask about once", async () => {
    let asked = 0;
    const counting = withStrategies(
      strategyOf("counts", () => {
        asked += 1;
        return { variant: "on" };
      }),
    );
    const written = (key: string, step: Written) =>
      makeFeature({ key, steps: [{ id: "s", on_failure: "next", config: {}, ...step }] }, { strategies: counting });
    const asking = ["one", "two", "three"].map((key) => written(key, { ...rollout(100), when: { feature: "base" } }));
    const base = written("base", { strategy: "counts" });
    const decisions: unknown[] = [];
    evaluateAll(
      compile(makeConfiguration({ features: [base, ...asking] }), counting),
      ["one", "two", "three"],
      { user_id: "user-1" },
      { now: 0 },
      (decision) => decisions.push(decision),
    );
    expect(decisions).toMatchObject([{ enabled: true }, { enabled: true }, { enabled: true }]);
    expect(asked).toBe(1);
  });
});
