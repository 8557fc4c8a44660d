import { useId } from "preact/hooks";
import type { Json } from "../../wire.ts";
import type { FieldProps } from "./field-props.ts";
import { Labelled } from "./labelled.tsx";
import { NumberField } from "./number-field.tsx";
import { hintOf, inWords, isObject, labelOf, type Schema } from "./schema.ts";
import { BooleanField, ChoiceField, JsonField, ListField, TextField } from "./text-fields.tsx";

export type Config = Readonly<Record<string, Json>>;
/** Of fields that name one of a few things, such as a variant. */
export type Choices = Readonly<Record<string, readonly string[]>>;

export interface SchemaFormProps {
  readonly schema: Schema;
  readonly value: Config;
  readonly choices?: Choices;
  change(config: Config): void;
}

/** A form made of a JSON Schema, with every field's default and unit: what it cannot draw is edited as JSON. */
export function SchemaForm({ schema, value, choices = {}, change }: SchemaFormProps) {
  const { properties = {}, required = [] } = schema;
  if (Object.keys(properties).length === 0)
    return (
      <JsonField
        {...{ name: "settings", schema: {}, value, required: false }}
        change={(next) => change(isObject(next) ? next : {})}
      />
    );
  return (
    <div class="fields">
      {Object.entries(properties).map(([name, field]) => (
        <Field
          key={name}
          {...{ name, schema: field, value: value[name], choices, required: required.includes(name) }}
          change={(next) => {
            const { [name]: _, ...rest } = value;
            change(next === undefined ? rest : { ...value, [name]: next });
          }}
        />
      ))}
    </div>
  );
}

type NestedProps = FieldProps & { readonly choices: Choices };

function Field(props: NestedProps) {
  const { name, schema, choices } = props;
  const options = choices[name] ?? schema.enum;
  const { type, items } = schema;
  if (options !== undefined) return <ChoiceField {...props} options={options} />;
  if (schema.anyOf !== undefined) return <Alternatives {...props} of={schema.anyOf} />;
  if (type === "number" || type === "integer") return <NumberField {...props} />;
  if (type === "boolean") return <BooleanField {...props} />;
  if (type === "string") return <TextField {...props} />;
  if (type === "array" && ["string", "number", "integer"].includes(items?.type ?? "")) return <ListField {...props} />;
  if (type === "array" && items?.properties !== undefined) return <Items {...props} of={items} />;
  if (schema.properties !== undefined) return <Group {...props} />;
  return <JsonField {...props} />;
}

function Group({ name, schema, label = labelOf(name, schema), value, choices, change }: NestedProps) {
  return (
    <fieldset class="whole stack">
      <legend>{label}</legend>
      {schema.description !== undefined && <p class="hint">{schema.description}</p>}
      <SchemaForm schema={schema} value={isObject(value) ? value : {}} choices={choices} change={change} />
    </fieldset>
  );
}

/** A list of objects. */
function Items({
  name,
  schema,
  label = labelOf(name, schema),
  of,
  value,
  choices,
  change,
}: NestedProps & { of: Schema }) {
  const list = Array.isArray(value) ? (value as readonly Json[]) : [];
  const hint = hintOf(name, schema);
  return (
    <fieldset class="whole stack">
      <legend>{label}</legend>
      {hint !== undefined && <p class="hint">{hint}</p>}
      {list.map((item, index) => (
        <fieldset class="note stack" key={index}>
          <legend class="unseen">
            {label}: {index + 1}
          </legend>
          <SchemaForm
            schema={of}
            value={isObject(item) ? item : {}}
            choices={choices}
            change={(next) => change(list.map((before, at) => (at === index ? next : before)))}
          />
          <div>
            <button
              type="button"
              class="small"
              aria-label={`Remove ${index + 1} of ${label.toLowerCase()}`}
              onClick={() => change(list.filter((_, at) => at !== index))}
            >
              Remove
            </button>
          </div>
        </fieldset>
      ))}
      <div>
        <button type="button" class="small" onClick={() => change([...list, {}])}>
          Add to {label.toLowerCase()}
        </button>
      </div>
    </fieldset>
  );
}

/** One of several schemas: a constant, nothing, a number, an object. */
function Alternatives(props: NestedProps & { of: readonly Schema[] }) {
  const { name, schema, label = labelOf(name, schema), of, value, choices, change } = props;
  const chosen = value === undefined ? -1 : of.findIndex((one) => fits(value, one));
  const id = useId();
  const inner = of[chosen];
  const usual = schema.default === undefined ? "as by default" : `default: ${inWords(name, schema, schema.default)}`;
  const fields = inner === undefined || inner.const !== undefined || inner.type === "null" ? undefined : inner;
  const hint = hintOf(name, schema);
  const choice = (
    <Labelled id={id} label={label} hint={hint}>
      <select
        id={id}
        value={chosen}
        onChange={({ currentTarget }) => {
          const next = of[Number(currentTarget.value)];
          change(next === undefined ? undefined : startOf(next, schema.default));
        }}
      >
        <option value={-1}>({usual})</option>
        {of.map((one, index) => (
          <option key={index} value={index}>
            {nameOf(one)}
          </option>
        ))}
      </select>
    </Labelled>
  );
  if (fields === undefined) return choice;
  if (fields.properties === undefined)
    return (
      <div class="stack">
        {choice}
        <Field
          {...{ name, schema: fields, value, choices, required: true, change }}
          label={`${label}: ${nameOf(fields)}`}
        />
      </div>
    );
  return (
    <fieldset class="whole stack">
      <legend class="unseen">{label}</legend>
      <div class="fields">{choice}</div>
      <SchemaForm schema={fields} value={isObject(value) ? value : {}} choices={choices} change={change} />
    </fieldset>
  );
}

function fits(value: Json, { const: constant, type }: Schema): boolean {
  if (constant !== undefined) return value === constant;
  if (type === "null") return value === null;
  if (type === "object") return isObject(value);
  if (type === "array") return Array.isArray(value);
  return typeof value === (type === "integer" ? "number" : type);
}

function nameOf({ const: constant, type }: Schema): string {
  if (constant !== undefined) return String(constant).replaceAll("_", " ");
  return (
    { null: "none", object: "as follows", array: "a list", string: "a text" }[type ?? ""] ?? `a ${type ?? "value"}`
  );
}

/** What a field begins with when this is chosen. */
function startOf(schema: Schema, usual: Json | undefined): Json {
  const { const: constant, type, minimum } = schema;
  if (constant !== undefined) return constant;
  if (usual !== undefined && fits(usual, schema)) return usual;
  if (type === "object") return {};
  if (type === "array") return [];
  return type === "number" || type === "integer"
    ? (minimum ?? 0)
    : type === "boolean"
      ? false
      : type === "null"
        ? null
        : "";
}
