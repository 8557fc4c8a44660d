import type { Condition, Strategies } from "../../wire.ts";
import { ConditionEditor } from "../condition/condition-editor.tsx";
import { FIRST_CONDITION } from "../condition/condition-kinds.ts";

export interface Rule {
  readonly id?: string;
  readonly when: Condition;
  readonly variant: string;
}

export function RulesEditor({
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
                class="small end"
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
          onClick={() => change([...rules, { when: FIRST_CONDITION, variant: variants[0] ?? "on" }])}
        >
          Add a rule
        </button>
      </div>
    </div>
  );
}
