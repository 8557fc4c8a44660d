import { useState } from "preact/hooks";
import type { Feature, Strategies } from "../../wire.ts";
import { Empty } from "../states.tsx";
import type { Step } from "./step.ts";
import { StepCard } from "./step-card.tsx";

/** A feature's steps, from top to bottom: each can be moved by a button and by dragging. */
export function StepList({
  steps,
  set,
  stored,
  known,
  placeOf,
}: {
  steps: readonly Step[];
  set: (steps: readonly Step[]) => void;
  stored: Feature;
  known: Strategies;
  placeOf: (variant: string | null) => number;
}) {
  const [dragged, setDragged] = useState<{ from: number; to: number }>();
  if (steps.length === 0)
    return (
      <Empty title="No steps">
        <p>Everybody gets the fallback variant. Add a step to release the feature to somebody.</p>
      </Empty>
    );
  return (
    <ol class="steps">
      {steps.map((step, index) => (
        <StepCard
          key={step.id}
          step={step}
          number={index + 1}
          last={index === steps.length - 1}
          variants={Object.keys(stored.variants)}
          off={stored.off_variant}
          known={known}
          placeOf={placeOf}
          change={(next) => set(steps.map((before, at) => (at === index ? next : before)))}
          move={(by) => set(moved(steps, index, index + by))}
          remove={() => set(steps.filter((_, at) => at !== index))}
          drag={{
            here: dragged !== undefined && dragged.to === index && dragged.from !== index,
            start: () => setDragged({ from: index, to: index }),
            over: () => dragged !== undefined && dragged.to !== index && setDragged({ ...dragged, to: index }),
            end: () => {
              if (dragged !== undefined) set(moved(steps, dragged.from, dragged.to));
              setDragged(undefined);
            },
          }}
        />
      ))}
    </ol>
  );
}

function moved(steps: readonly Step[], from: number, to: number): readonly Step[] {
  const step = steps[from];
  if (step === undefined || to < 0 || to >= steps.length) return steps;
  return steps.filter((_, at) => at !== from).toSpliced(to, 0, step);
}
