import type { Condition } from "../../wire.ts";
import { AttributeFields, type Operators } from "./attribute-fields.tsx";
import { asKind, CONDITION_KINDS, type ConditionKind, FIRST_CONDITION, kindOf } from "./condition-kinds.ts";
import { FeatureFields, GateField, SegmentField } from "./reference-fields.tsx";

export interface ConditionEditorProps {
  readonly value: Condition;
  readonly operators: Operators;
  change(condition: Condition): void;
  /** Left out: it cannot be removed. */
  readonly remove?: (() => void) | undefined;
}

/** Builds a condition: every kind, every operator this server knows. */
export function ConditionEditor({ value, operators, change, remove }: ConditionEditorProps) {
  const operator = typeof value === "object" && "op" in value ? operators.find(({ name }) => name === value.op) : null;
  return (
    <div class="cond">
      <div class="line">
        <select
          aria-label="Kind of condition"
          value={kindOf(value)}
          onChange={({ currentTarget }) => change(asKind(currentTarget.value as ConditionKind, value))}
        >
          {CONDITION_KINDS.map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
        <Fields value={value} operators={operators} change={change} />
        {remove !== undefined && (
          <button type="button" class="small" aria-label="Remove this condition" onClick={remove}>
            Remove
          </button>
        )}
      </div>
      {operator != null && <p class="hint">{operator.summary}.</p>}
      <Children value={value} operators={operators} change={change} />
    </div>
  );
}

function Fields({ value, operators, change }: ConditionEditorProps) {
  if (typeof value === "boolean") return null;
  if ("attribute" in value) return <AttributeFields value={value} operators={operators} change={change} />;
  if ("segment" in value) return <SegmentField value={value} change={change} />;
  if ("feature" in value) return <FeatureFields value={value} change={change} />;
  if ("gate" in value) return <GateField value={value} change={change} />;
  return null;
}

function Children({ value, operators, change }: ConditionEditorProps) {
  if (typeof value === "boolean") return null;
  if ("not" in value)
    return (
      <div class="group">
        <ConditionEditor value={value.not} operators={operators} change={(not) => change({ not })} />
      </div>
    );
  const list = "all" in value ? value.all : "any" in value ? value.any : undefined;
  if (list === undefined) return null;
  const set = (children: readonly Condition[]) => change("all" in value ? { all: children } : { any: children });
  return (
    <div class="group">
      {list.map((child, index) => (
        <ConditionEditor
          key={index}
          value={child}
          operators={operators}
          change={(next) => set(list.map((before, at) => (at === index ? next : before)))}
          remove={list.length > 1 ? () => set(list.filter((_, at) => at !== index)) : undefined}
        />
      ))}
      <div>
        <button type="button" class="small" onClick={() => set([...list, FIRST_CONDITION])}>
          Add a condition
        </button>
      </div>
    </div>
  );
}
