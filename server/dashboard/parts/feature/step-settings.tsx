import type { Json, Strategies } from "../../wire.ts";
import { inWords, isObject, labelOf, type Schema } from "../form/schema.ts";
import { type Config, SchemaForm } from "../form/schema-form.tsx";
import { Panel } from "../panel.tsx";
import { type Rule, RulesEditor } from "./rules-editor.tsx";
import { type Arm, SplitEditor } from "./split-editor.tsx";
import type { Step } from "./step.ts";

export interface StepSettingsProps {
  readonly step: Step;
  readonly variants: readonly string[];
  readonly off: string;
  readonly known: Strategies;
  placeOf(variant: string | null): number;
  change(step: Step): void;
}

/** By the strategies that come with the server in their own words; of any other a form made from its schema. */
export function StepSettings({ step, variants, off, known, placeOf, change }: StepSettingsProps) {
  const config = (step.config ?? {}) as Config;
  const set = (next: Config) => change({ ...step, config: next });
  if (step.strategy === "hash-bucketing") {
    const arms = (config.arms ?? []) as unknown as readonly Arm[];
    return (
      <SplitEditor
        arms={arms}
        off={off}
        placeOf={placeOf}
        change={(next) => set({ ...config, arms: next as unknown as Json })}
      />
    );
  }
  if (step.strategy === "rule-filters") {
    const rules = (config.rules ?? []) as unknown as readonly Rule[];
    return (
      <RulesEditor
        rules={rules}
        variants={variants}
        operators={known.operators}
        change={(next) => set({ ...config, rules: next as unknown as Json })}
      />
    );
  }
  const schema: Schema = known.strategies.find(({ id }) => id === step.strategy)?.config ?? {};
  return (
    <Panel
      name={`step-${step.id}`}
      summary={
        <>
          Settings: <span class="soft">{inShort(config, schema)}</span>
        </>
      }
    >
      <SchemaForm schema={schema} value={config} choices={choicesOf(variants)} change={set} />
    </Panel>
  );
}

/** Only what is not as by default. */
function inShort(config: Config, { properties = {} }: Schema): string {
  const words = Object.entries(config).flatMap(([name, value]) => {
    const field = properties[name] ?? {};
    if (JSON.stringify(value) === JSON.stringify(field.default)) return [];
    return [`${labelOf(name).toLowerCase()} ${isObject(value) ? JSON.stringify(value) : inWords(name, field, value)}`];
  });
  return words.length === 0 ? "all as by default" : words.join(", ");
}

/** Fields that name a variant are chosen, not typed. */
function choicesOf(variants: readonly string[]) {
  return { variant: variants, otherwise_variant: variants };
}
