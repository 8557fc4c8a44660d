import { useId, useState } from "preact/hooks";
import type { Json } from "../../wire.ts";
import type { FieldProps } from "./field-props.ts";
import { Labelled } from "./labelled.tsx";
import { hintOf, inWords, labelOf } from "./schema.ts";
import { TypedInput } from "./typed-input.tsx";

export function ChoiceField({
  name,
  schema,
  label = labelOf(name, schema),
  value,
  required,
  options,
  change,
}: FieldProps & { readonly options: readonly Json[] }) {
  const id = useId();
  const usual = schema.default === undefined ? "as by default" : `default: ${inWords(name, schema, schema.default)}`;
  return (
    <Labelled id={id} label={label} hint={hintOf(name, schema)}>
      <select
        id={id}
        required={required}
        value={value === undefined ? "" : String(value)}
        onChange={({ currentTarget }) => change(options.find((option) => String(option) === currentTarget.value))}
      >
        <option value="">({required ? "choose" : usual})</option>
        {options.map((option) => (
          <option key={String(option)} value={String(option)}>
            {String(option).replaceAll("_", " ")}
          </option>
        ))}
      </select>
    </Labelled>
  );
}

export function BooleanField({ name, schema, label = labelOf(name, schema), value, change }: FieldProps) {
  const hint = hintOf(name, schema);
  return (
    <div>
      <label class="check">
        <input
          type="checkbox"
          checked={(value ?? schema.default) === true}
          onChange={({ currentTarget }) => change(currentTarget.checked)}
        />
        {label}
      </label>
      {hint !== undefined && <p class="hint">{hint}</p>}
    </div>
  );
}

export function TextField({ name, schema, label = labelOf(name, schema), value, required, change }: FieldProps) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hintOf(name, schema)}>
      <TypedInput
        id={id}
        required={required}
        value={String(value ?? "")}
        change={(text) => change(text.trim() === "" ? undefined : text)}
      />
    </Labelled>
  );
}

/** Texts or numbers, separated by commas. */
export function ListField({ name, schema, label = labelOf(name, schema), value, required, change }: FieldProps) {
  const id = useId();
  const numbers = schema.items?.type !== "string";
  return (
    <Labelled id={id} label={`${label}, separated by commas`} hint={hintOf(name, schema)}>
      <TypedInput
        id={id}
        required={required}
        value={Array.isArray(value) ? value.join(", ") : ""}
        change={(text) => {
          const entries = text.split(",").flatMap((entry) => entry.trim() || []);
          change(entries.length === 0 ? undefined : numbers ? entries.map(Number) : entries);
        }}
      />
    </Labelled>
  );
}

/** What no form can be made of. */
export function JsonField({ name, schema, label = labelOf(name, schema), value, change }: FieldProps) {
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
    <Labelled id={id} label={`${label} (JSON)`} hint={hintOf(name, schema)}>
      <textarea
        id={id}
        rows={4}
        value={text}
        onInput={({ currentTarget }) => set(currentTarget.value)}
        aria-invalid={wrong !== undefined}
        spellcheck={false}
      />
      {wrong !== undefined && <p class="hint bad">{wrong}</p>}
    </Labelled>
  );
}
