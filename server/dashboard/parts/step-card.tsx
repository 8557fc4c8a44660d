import { useState } from "preact/hooks";
import { STRATEGIES } from "../explanation.ts";
import type { Condition, Feature, Json, Strategies } from "../wire.ts";
import { percent } from "../words.ts";
import { ConditionEditor } from "./condition-editor.tsx";
import { RolloutControl } from "./rollout-control.tsx";
import { SchemaForm } from "./schema-form.tsx";
import { Variant, VariantBar } from "./variant.tsx";

export type Step = Feature["steps"][number];
type Config = Readonly<Record<string, Json>>;

export interface StepCardProps {
  readonly step: Step;
  readonly number: number;
  readonly last: boolean;
  readonly variants: readonly string[];
  readonly off: string;
  readonly known: Strategies;
  placeOf(variant: string | null): number;
  change(step: Step): void;
  move(by: -1 | 1): void;
  remove(): void;
  /** Drag and drop, beside the buttons. */
  readonly drag: { start(): void; over(): void; end(): void; readonly here: boolean };
}

/** One step: what it does, its settings, its condition, its place. */
export function StepCard(props: StepCardProps) {
  const { step, number, last, known, change, move, remove, drag } = props;
  const strategy = known.strategies.find(({ id }) => id === step.strategy);
  const [draggable, setDraggable] = useState(false);
  return (
    <li
      class={`step ${drag.here ? "drop" : ""}`}
      draggable={draggable}
      onDragStart={drag.start}
      onDragOver={(event) => {
        event.preventDefault();
        drag.over();
      }}
      onDragEnd={() => {
        setDraggable(false);
        drag.end();
      }}
    >
      <header>
        <span class="number" aria-hidden="true">
          {number}
        </span>
        <div class="grow">
          <h3 class="break">
            {STRATEGIES[step.strategy] ?? step.strategy} <code class="soft small">{step.id}</code>
          </h3>
          <p class="small soft">{strategy?.summary ?? "This server does not have this strategy: the step fails."}</p>
        </div>
        <div class="row">
          <button
            type="button"
            class="small plain grip"
            aria-hidden="true"
            tabIndex={-1}
            title="Drag to another place"
            style={{ cursor: "grab" }}
            onMouseDown={() => setDraggable(true)}
            onMouseUp={() => setDraggable(false)}
          >
            ⠿
          </button>
          <button
            type="button"
            class="small"
            disabled={number === 1}
            aria-label={`Move ${step.id} up`}
            onClick={() => move(-1)}
          >
            ↑
          </button>
          <button
            type="button"
            class="small"
            disabled={last}
            aria-label={`Move ${step.id} down`}
            onClick={() => move(1)}
          >
            ↓
          </button>
          <button type="button" class="small" aria-label={`Remove ${step.id}`} onClick={remove}>
            Remove
          </button>
        </div>
      </header>
      <Settings {...props} />
      <When step={step} known={known} change={change} />
      <details>
        <summary class="small">When it should decide and cannot</summary>
        <select
          aria-label={`When ${step.id} cannot decide`}
          value={step.on_failure}
          onChange={({ currentTarget }) => change({ ...step, on_failure: currentTarget.value as Step["on_failure"] })}
        >
          <option value="next">Ask the next step</option>
          <option value="fallback">Serve the fallback variant</option>
        </select>
      </details>
    </li>
  );
}

function Settings({ step, variants, off, known, placeOf, change }: StepCardProps) {
  const config = (step.config ?? {}) as Config;
  const set = (next: Config) => change({ ...step, config: next });
  if (step.strategy === "hash-bucketing") {
    const arms = (config.arms ?? []) as unknown as readonly Arm[];
    return (
      <Split
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
      <Rules
        rules={rules}
        variants={variants}
        operators={known.operators}
        change={(next) => set({ ...config, rules: next as unknown as Json })}
      />
    );
  }
  const schema = known.strategies.find(({ id }) => id === step.strategy)?.config ?? {};
  return (
    <details>
      <summary>
        Settings: <span class="soft">{inShort(config)}</span>
      </summary>
      <SchemaForm schema={schema} value={config} change={set} />
    </details>
  );
}

function inShort(config: Config): string {
  const entries = Object.entries(config).map(
    ([name, value]) => `${name.replaceAll("_", " ")} ${JSON.stringify(value)}`,
  );
  return entries.length === 0 ? "all as by default" : entries.join(", ");
}

interface Arm {
  readonly variant: string | null;
  readonly weight: number;
  readonly ranges?: Json;
}

/** Weights go out without the stored ranges: the server moves as few users as it can. */
function Split({
  arms,
  off,
  placeOf,
  change,
}: {
  arms: readonly Arm[];
  off: string;
  placeOf: StepCardProps["placeOf"];
  change: (arms: readonly Arm[]) => void;
}) {
  const served = arms.filter(({ variant }) => variant !== off);
  const rest = arms.find(({ variant }) => variant === off);
  const shares = arms.map(({ variant, weight }) => ({
    name: variant ?? "next step",
    share: weight / 100,
    place: placeOf(variant),
  }));
  const sum = Math.round(arms.reduce((total, { weight }) => total + weight, 0) * 1000) / 1000;
  return (
    <div class="stack">
      <VariantBar shares={shares} />
      {arms.length === 2 && served.length === 1 && rest !== undefined ? (
        <>
          <RolloutControl
            label={`Percentage of users who get ${served[0]?.variant}`}
            value={served[0]?.weight ?? 0}
            change={(weight) =>
              change(
                arms.map(({ variant }) => ({
                  variant,
                  weight: variant === off ? Math.round((100 - weight) * 1000) / 1000 : weight,
                })),
              )
            }
          />
          <p class="hint">
            Sticky: who is in stays in while this only rises. {percent((rest.weight ?? 0) / 100, 3)} get {off}.
          </p>
        </>
      ) : (
        <fieldset class="stack">
          <legend>Weights, in percent</legend>
          {arms.map((arm, index) => (
            <div class="row" key={arm.variant ?? ""}>
              <span style={{ flex: "1 1 8rem" }}>
                {arm.variant === null ? "next step" : <Variant name={arm.variant} place={placeOf(arm.variant)} />}
              </span>
              <input
                type="number"
                min={0}
                max={100}
                step={0.001}
                aria-label={`Weight of ${arm.variant ?? "the next step"}`}
                value={arm.weight}
                style={{ width: "8rem" }}
                onChange={({ currentTarget }) =>
                  change(
                    arms.map(({ variant, weight }, at) => ({
                      variant,
                      weight: at === index ? Number(currentTarget.value) : weight,
                    })),
                  )
                }
              />
            </div>
          ))}
          {sum !== 100 && <p class="hint bad">The weights sum to {sum}, not to 100.</p>}
        </fieldset>
      )}
    </div>
  );
}

interface Rule {
  readonly id?: string;
  readonly when: Condition;
  readonly variant: string;
}

function Rules({
  rules,
  variants,
  operators,
  change,
}: {
  rules: readonly Rule[];
  variants: readonly string[];
  operators: Strategies["operators"];
  change: (rules: readonly Rule[]) => void;
}) {
  const set = (index: number, rule: Rule) => change(rules.map((before, at) => (at === index ? rule : before)));
  return (
    <div class="stack">
      {rules.map((rule, index) => (
        <fieldset class="note stack" key={index}>
          <div class="row">
            <span>
              <b>Rule {rule.id ?? index + 1}</b> serves
            </span>
            <select
              aria-label={`Variant of rule ${rule.id ?? index + 1}`}
              value={rule.variant}
              style={{ width: "auto" }}
              onChange={({ currentTarget }) => set(index, { ...rule, variant: currentTarget.value })}
            >
              {variants.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
            <span>when</span>
            {rules.length > 1 && (
              <button
                type="button"
                class="small"
                aria-label={`Remove rule ${rule.id ?? index + 1}`}
                onClick={() => change(rules.filter((_, at) => at !== index))}
              >
                Remove
              </button>
            )}
          </div>
          <ConditionEditor value={rule.when} operators={operators} change={(when) => set(index, { ...rule, when })} />
        </fieldset>
      ))}
      <div>
        <button
          type="button"
          class="small"
          onClick={() =>
            change([
              ...rules,
              { when: { attribute: "/plan", op: "equals", value: "pro" }, variant: variants[0] ?? "on" },
            ])
          }
        >
          Add a rule
        </button>
      </div>
    </div>
  );
}

function When({ step, known, change }: Pick<StepCardProps, "step" | "known" | "change">) {
  const when = step.when as Condition | undefined;
  if (when === undefined)
    return (
      <div>
        <button
          type="button"
          class="small plain"
          onClick={() => change({ ...step, when: { attribute: "/plan", op: "equals", value: "pro" } as Json })}
        >
          Ask it only when …
        </button>
      </div>
    );
  return (
    <fieldset class="stack">
      <legend>Asked only when</legend>
      <ConditionEditor
        value={when}
        operators={known.operators}
        change={(next) => change({ ...step, when: next as Json })}
        remove={() => {
          const { when: _, ...rest } = step;
          change(rest);
        }}
      />
    </fieldset>
  );
}
