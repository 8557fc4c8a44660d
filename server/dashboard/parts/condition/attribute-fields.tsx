import type { Condition, Json, Strategies } from "../../wire.ts";
import { readValue, valueFormOf, writtenValue } from "./written-value.ts";

export type Operators = Strategies["operators"];
type OnAttribute = Extract<Condition, { attribute: string }>;

/** Attribute, operator and, where the operator takes one, a value by an input of its kind. */
export function AttributeFields({
  value,
  operators,
  change,
}: {
  value: OnAttribute;
  operators: Operators;
  change: (condition: Condition) => void;
}) {
  const operator = operators.find(({ name }) => name === value.op);
  return (
    <>
      <input
        aria-label="Attribute"
        required
        value={value.attribute.replace(/^\//, "")}
        onInput={({ currentTarget }) => change({ ...value, attribute: `/${currentTarget.value}` })}
        autocomplete="off"
        spellcheck={false}
      />
      <select
        aria-label="Operator"
        value={value.op}
        onChange={({ currentTarget }) => change(withOperator(value, currentTarget.value, operators))}
      >
        {operator === undefined && <option value={value.op}>{value.op} (unknown here)</option>}
        {operators.map(({ name, summary }) => (
          <option key={name} value={name} title={summary}>
            {name.replaceAll("_", " ")}
          </option>
        ))}
      </select>
      {operator?.value !== null && (
        <ValueField
          key={value.op}
          operator={operator}
          value={value.value}
          change={(next) => change({ ...value, value: next })}
        />
      )}
    </>
  );
}

function ValueField({
  operator,
  value,
  change,
}: {
  operator: Operators[number] | undefined;
  value: Json | undefined;
  change: (value: Json) => void;
}) {
  const form = valueFormOf(operator);
  const wanted = operator?.value ?? "as the operator takes it";
  const shared = {
    "aria-label": `Value: ${wanted}`,
    title: form === "time" ? "In your own time zone" : wanted,
    required: true,
    defaultValue: writtenValue(value, form),
    onChange: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(readValue(currentTarget.value, form)),
  };
  if (form === "number") return <input {...shared} type="number" step="any" />;
  if (form === "time") return <input {...shared} type="datetime-local" step={1} />;
  return (
    <>
      <input
        {...shared}
        placeholder={form.endsWith("s") ? "one, two, three" : ""}
        autocomplete="off"
        spellcheck={false}
      />
      {form === "value" && value !== undefined && <span class="small soft">{TYPES[typeof value] ?? "JSON"}</span>}
    </>
  );
}

/** Said because operators are strict: 5 is no match for "5". */
const TYPES: Readonly<Record<string, string>> = { string: "text", number: "number", boolean: "yes or no" };

function withOperator({ attribute, op, value }: OnAttribute, next: string, operators: Operators): Condition {
  const [before, after] = [op, next].map((wanted) => operators.find(({ name }) => name === wanted));
  if (after?.value === null) return { attribute, op: next };
  return { attribute, op: next, value: readValue(writtenValue(value, valueFormOf(before)), valueFormOf(after)) };
}
