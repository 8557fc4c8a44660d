import type { Condition, Json, Strategies } from "../../wire.ts";
import { ConditionEditor } from "../condition/condition-editor.tsx";
import { FIRST_CONDITION } from "../condition/condition-kinds.ts";
import type { Step } from "./step.ts";

/** The condition under which a step is asked at all. */
export function StepWhen({ step, known, change }: { step: Step; known: Strategies; change: (step: Step) => void }) {
  const when = step.when as Condition | undefined;
  if (when === undefined)
    return (
      <button type="button" class="small plain" onClick={() => change({ ...step, when: FIRST_CONDITION as Json })}>
        Ask it only when …
      </button>
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
