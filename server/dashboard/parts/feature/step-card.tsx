import { useState } from "preact/hooks";
import { STRATEGIES } from "../../explanation.ts";
import type { Strategies } from "../../wire.ts";
import type { Step } from "./step.ts";
import { StepSettings } from "./step-settings.tsx";
import { StepWhen } from "./step-when.tsx";

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
      <StepSettings {...props} />
      <div class="spread foot">
        <StepWhen step={step} known={known} change={change} />
        <label class="row small failing">
          If it should decide and cannot
          <select
            value={step.on_failure}
            onChange={({ currentTarget }) => change({ ...step, on_failure: currentTarget.value as Step["on_failure"] })}
          >
            <option value="next">ask the next step</option>
            <option value="fallback">serve the fallback variant</option>
          </select>
        </label>
      </div>
    </li>
  );
}
