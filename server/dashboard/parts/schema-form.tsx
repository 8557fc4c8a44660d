import { useId, useState } from "preact/hooks";
import type { Json } from "../wire.ts";

interface Schema {
  readonly type?: string;
  readonly enum?: readonly Json[];
  readonly description?: string;
  readonly default?: Json;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

type Config = Readonly<Record<string, Json>>;

/** A form made of a strategy's JSON Schema: what it cannot draw is edited as JSON. */
export function SchemaForm({
  schema,
  value,
  change,
}: {
  schema: Schema;
  value: Config;
  change: (config: Config) => void;
}) {
  const { properties } = schema;
  if (properties === undefined || Object.keys(properties).length === 0)
    return <JsonField name="Settings" value={value} change={(next) => change((next ?? {}) as Config)} />;
  return (
    <div class="halves">
      {Object.entries(properties).map(([name, field]) => (
        <Field
          key={name}
          name={name}
          schema={field}
          value={value[name]}
          change={(next) => {
            const { [name]: _, ...rest } = value;
            change(next === undefined ? rest : { ...value, [name]: next });
          }}
        />
      ))}
    </div>
  );
}

interface FieldProps {
  readonly name: string;
  readonly schema: Schema;
  readonly value: Json | undefined;
  change(value: Json | undefined): void;
}

function Field(props: FieldProps) {
  const { name, schema, value, change } = props;
  const id = useId();
  const words = name.replaceAll("_", " ");
  const usual = schema.default === undefined ? "default" : `default: ${JSON.stringify(schema.default)}`;
  if (schema.enum !== undefined)
    return (
      <Labelled id={id} words={words} hint={schema.description}>
        <select
          id={id}
          value={value === undefined ? "" : String(value)}
          onChange={({ currentTarget }) =>
            change(schema.enum?.find((option) => String(option) === currentTarget.value))
          }
        >
          <option value="">({usual})</option>
          {schema.enum.map((option) => (
            <option key={String(option)} value={String(option)}>
              {String(option).replaceAll("_", " ")}
            </option>
          ))}
        </select>
      </Labelled>
    );
  if (schema.type === "number" || schema.type === "integer")
    return (
      <Labelled id={id} words={words} hint={schema.description}>
        <input
          id={id}
          type="number"
          step={schema.type === "integer" ? 1 : "any"}
          min={schema.minimum}
          max={schema.maximum}
          placeholder={usual}
          value={typeof value === "number" ? value : ""}
          onChange={({ currentTarget }) => change(currentTarget.value === "" ? undefined : Number(currentTarget.value))}
        />
      </Labelled>
    );
  if (schema.type === "boolean")
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={(value ?? schema.default) === true}
          onChange={({ currentTarget }) => change(currentTarget.checked)}
        />
        {words}
      </label>
    );
  if (schema.type === "string" || (schema.type === "array" && schema.items?.type === "string"))
    return (
      <Labelled id={id} words={words} hint={schema.type === "array" ? "Separated by commas" : schema.description}>
        <input
          id={id}
          placeholder={usual}
          value={Array.isArray(value) ? value.join(", ") : String(value ?? "")}
          onChange={({ currentTarget }) => change(written(currentTarget.value, schema.type === "array"))}
        />
      </Labelled>
    );
  return <JsonField name={words} value={value} change={change} />;
}

function written(text: string, list: boolean): Json | undefined {
  if (text.trim() === "") return undefined;
  return list
    ? text
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "")
    : text;
}

function Labelled({
  id,
  words,
  hint,
  children,
}: {
  id: string;
  words: string;
  hint: string | undefined;
  children: preact.ComponentChildren;
}) {
  return (
    <div>
      <label for={id}>{words}</label>
      {children}
      {hint !== undefined && <p class="hint">{hint}</p>}
    </div>
  );
}

function JsonField({
  name,
  value,
  change,
}: {
  name: string;
  value: Json | undefined;
  change: (value: Json | undefined) => void;
}) {
  const id = useId();
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState<string>();
  const set = (next: string) => {
    setText(next);
    try {
      change(next.trim() === "" ? undefined : (JSON.parse(next) as Json));
      setWrong(undefined);
    } catch (error) {
      setWrong((error as Error).message);
    }
  };
  return (
    <div>
      <label for={id}>{name} (JSON)</label>
      <textarea
        id={id}
        rows={4}
        value={text}
        onInput={({ currentTarget }) => set(currentTarget.value)}
        aria-invalid={wrong !== undefined}
        spellcheck={false}
      />
      {wrong !== undefined && <p class="hint bad">{wrong}</p>}
    </div>
  );
}
