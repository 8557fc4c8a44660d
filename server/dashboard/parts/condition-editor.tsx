import type { Condition, Json, Strategies } from "../wire.ts";

type Operators = Strategies["operators"];
type Kind = "attribute" | "all" | "any" | "not" | "segment" | "feature" | "gate" | "always" | "never";

const KINDS: readonly (readonly [Kind, string])[] = [
  ["attribute", "An attribute"],
  ["all", "All of"],
  ["any", "Any of"],
  ["not", "Not"],
  ["segment", "In the segment"],
  ["feature", "A feature serves"],
  ["gate", "A share of users"],
  ["always", "Always"],
  ["never", "Never"],
];

const BLANK: Condition = { attribute: "/plan", op: "equals", value: "pro" };

const MADE: Readonly<Record<Kind, (before: Condition) => Condition>> = {
  attribute: () => BLANK,
  all: (before) => ({ all: childrenOf(before) }),
  any: (before) => ({ any: childrenOf(before) }),
  not: (before) => ({ not: childrenOf(before)[0] ?? BLANK }),
  segment: () => ({ segment: "" }),
  feature: () => ({ feature: "" }),
  gate: () => ({ gate: { percentage: 10, unit: ["user_id"] } }),
  always: () => true,
  never: () => false,
};

export interface ConditionEditorProps {
  readonly value: Condition;
  readonly operators: Operators;
  change(condition: Condition): void;
  /** Left out: it cannot be removed. */
  readonly remove?: (() => void) | undefined;
}

/** Builds a condition: every kind, every operator this server knows. */
export function ConditionEditor({ value, operators, change, remove }: ConditionEditorProps) {
  const kind = kindOf(value);
  return (
    <div class="cond">
      <div class="line">
        <select
          aria-label="Kind of condition"
          value={kind}
          onChange={({ currentTarget }) => change(MADE[currentTarget.value as Kind](value))}
        >
          {KINDS.map(([name, words]) => (
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
      <Children value={value} operators={operators} change={change} />
    </div>
  );
}

function Fields({ value, operators, change }: ConditionEditorProps) {
  if (typeof value === "boolean") return null;
  if ("attribute" in value) {
    const operator = operators.find(({ name }) => name === value.op);
    return (
      <>
        <input
          aria-label="Attribute"
          required
          value={value.attribute.replace(/^\//, "")}
          onInput={({ currentTarget }) => change({ ...value, attribute: `/${currentTarget.value}` })}
          spellcheck={false}
        />
        <select
          aria-label="Operator"
          title={operator?.summary}
          value={value.op}
          onChange={({ currentTarget }) => change(withOperator(value, currentTarget.value, operators))}
        >
          {operators.map(({ name }) => (
            <option key={name} value={name}>
              {name.replaceAll("_", " ")}
            </option>
          ))}
        </select>
        {operator?.value !== null && (
          <input
            aria-label={`Value: ${operator?.value ?? "as the operator takes it"}`}
            title={operator?.value}
            placeholder={operator?.value ?? ""}
            required
            defaultValue={textOf(value.value)}
            key={value.op}
            onChange={({ currentTarget }) =>
              change({ ...value, value: parsedValue(currentTarget.value, isList(operator)) })
            }
            spellcheck={false}
          />
        )}
      </>
    );
  }
  if ("segment" in value)
    return (
      <input
        aria-label="Segment"
        required
        value={value.segment}
        onInput={({ currentTarget }) => change({ segment: currentTarget.value })}
      />
    );
  if ("feature" in value)
    return (
      <>
        <input
          aria-label="Feature"
          required
          value={value.feature}
          onInput={({ currentTarget }) => change({ ...value, feature: currentTarget.value })}
        />
        <input
          aria-label="One of these variants"
          placeholder="anything but off"
          value={value.variant?.join(", ") ?? ""}
          onChange={({ currentTarget }) => {
            const names = listIn(currentTarget.value);
            change(names.length === 0 ? { feature: value.feature } : { ...value, variant: names });
          }}
        />
      </>
    );
  if ("gate" in value)
    return (
      <input
        type="number"
        min={0}
        max={100}
        step={0.001}
        aria-label="Percentage of users"
        required
        value={value.gate.percentage}
        onChange={({ currentTarget }) => change({ gate: { ...value.gate, percentage: Number(currentTarget.value) } })}
      />
    );
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
        <button type="button" class="small" onClick={() => set([...list, BLANK])}>
          Add a condition
        </button>
      </div>
    </div>
  );
}

function kindOf(value: Condition): Kind {
  if (typeof value === "boolean") return value ? "always" : "never";
  return KINDS.find(([name]) => name in value)?.[0] ?? "attribute";
}

function childrenOf(value: Condition): readonly Condition[] {
  if (typeof value === "object") {
    if ("all" in value) return value.all;
    if ("any" in value) return value.any;
    if ("not" in value) return [value.not];
  }
  return [value];
}

type OnAttribute = Extract<Condition, { attribute: string }>;

function withOperator({ attribute, value }: OnAttribute, op: string, operators: Operators): Condition {
  const operator = operators.find(({ name }) => name === op);
  if (operator?.value === null) return { attribute, op };
  return { attribute, op, value: parsedValue(textOf(value), isList(operator)) };
}

function isList(operator: Operators[number] | undefined): boolean {
  return operator?.value?.startsWith("a list") ?? false;
}

function textOf(value: Json | undefined): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Numbers and true/false are themselves, anything else is text; "in quotes" is text whatever it says. */
function parsedValue(text: string, list: boolean): Json {
  if (list) return listIn(text).map((entry) => parsedValue(entry, false));
  const trimmed = text.trim();
  if (/^(-?\d+(\.\d+)?(e[+-]?\d+)?|true|false|".*"|\[.*\]|\{.*\})$/i.test(trimmed))
    try {
      return JSON.parse(trimmed) as Json;
    } catch {
      return text;
    }
  return text;
}

function listIn(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
