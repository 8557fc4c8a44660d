import type { Condition, Json, Strategies } from "../../wire.ts";
import { TypedInput } from "../form/typed-input.tsx";
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
  return (
    <>
      <TypedInput
        aria-label={`Value: ${wanted}`}
        title={form === "time" ? "In your own time zone" : wanted}
        placeholder={form.endsWith("s") ? "one, two, three" : ""}
        type={form === "number" ? "number" : form === "time" ? "datetime-local" : "text"}
        step={form === "number" ? "any" : form === "time" ? 1 : undefined}
        required
        value={writtenValue(value, form)}
        change={(text) => change(readValue(text, form))}
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
