import { STRATEGIES } from "../../explanation.ts";
import type { Feature, Json, Strategies } from "../../wire.ts";
import { FIRST_CONDITION } from "../condition/condition-kinds.ts";
import type { Step } from "./step.ts";

/** Adds a step with the settings it most likely begins with. */
export function AddStep({
  known,
  steps,
  feature,
  change,
}: {
  known: Strategies;
  steps: readonly Step[];
  feature: Feature;
  change: (steps: readonly Step[]) => void;
}) {
  return (
    <select
      aria-label="Add a step"
      value=""
      style={{ width: "auto" }}
      onChange={({ currentTarget }) => {
        const strategy = currentTarget.value;
        currentTarget.value = "";
        const config = firstConfig(strategy, feature);
        change(withStep(steps, { id: freeId(strategy, steps), strategy, config, on_failure: "next" }));
      }}
    >
      <option value="">Add a step …</option>
      {known.strategies.map(({ id }) => (
        <option key={id} value={id}>
          {STRATEGIES[id] ?? id}
        </option>
      ))}
    </select>
  );
}

/** A model or a rule belongs before the rollout, which decides for everybody. */
function withStep(steps: readonly Step[], step: Step): readonly Step[] {
  const rollout = steps.findIndex(({ strategy }) => strategy === "hash-bucketing");
  return step.strategy === "hash-bucketing" || rollout === -1 ? [...steps, step] : steps.toSpliced(rollout, 0, step);
}

function freeId(strategy: string, steps: readonly Step[]): string {
  const base = { "rule-filters": "rules", "hash-bucketing": "rollout", "ml-model": "model" }[strategy] ?? strategy;
  const taken = new Set(steps.map(({ id }) => id));
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}

function firstConfig(strategy: string, { variants, off_variant }: Feature): Json {
  const others = Object.keys(variants).filter((name) => name !== off_variant);
  if (strategy === "hash-bucketing")
    return {
      arms: [
        ...others.map((variant, index) => ({ variant, weight: index === 0 ? 5 : 0 })),
        { variant: off_variant, weight: others.length === 0 ? 100 : 95 },
      ],
    };
  if (strategy === "rule-filters")
    return { rules: [{ when: FIRST_CONDITION as Json, variant: others[0] ?? off_variant }] };
  return {};
}
