import { useId, useState } from "preact/hooks";
import { percent } from "../../words.ts";
import type { FieldProps } from "./field-props.ts";
import { Labelled } from "./labelled.tsx";
import { hintOf, isDuration, isShare, labelOf } from "./schema.ts";

/** A number with its unit: seconds in whichever unit says them well, shares in percent beside it. */
export function NumberField(props: FieldProps) {
  const { name, schema, label = labelOf(name, schema), value, required, change } = props;
  const id = useId();
  if (isDuration(name)) return <DurationField {...props} />;
  const unit = name.endsWith("_ms") ? "ms" : isShare(schema) && typeof value === "number" ? `= ${percent(value)}` : "";
  return (
    <Labelled id={id} label={label} hint={hintOf(name, schema)}>
      <div class="unit">
        <input
          id={id}
          type="number"
          step={schema.type === "integer" ? 1 : "any"}
          min={schema.minimum ?? schema.exclusiveMinimum}
          max={schema.maximum}
          required={required}
          aria-describedby={`${id}-hint`}
          value={typeof value === "number" ? value : ""}
          onChange={({ currentTarget }) => change(currentTarget.value === "" ? undefined : Number(currentTarget.value))}
        />
        {unit !== "" && <span class="soft nums">{unit}</span>}
      </div>
    </Labelled>
  );
}

const UNITS = [
  ["days", 86_400],
  ["hours", 3_600],
  ["minutes", 60],
  ["seconds", 1],
] as const;

function DurationField({ name, schema, label = labelOf(name, schema), value, required, change }: FieldProps) {
  const id = useId();
  const seconds = typeof value === "number" ? value : undefined;
  const [unit, setUnit] = useState(largestUnit(seconds ?? (typeof schema.default === "number" ? schema.default : 0)));
  return (
    <Labelled id={id} label={label} hint={hintOf(name, schema)}>
      <div class="unit">
        <input
          id={id}
          type="number"
          step="any"
          min={(schema.minimum ?? schema.exclusiveMinimum ?? 0) / unit}
          required={required}
          aria-describedby={`${id}-hint`}
          value={seconds === undefined ? "" : seconds / unit}
          onChange={({ currentTarget }) =>
            change(currentTarget.value === "" ? undefined : Math.round(Number(currentTarget.value) * unit))
          }
        />
        <select
          aria-label={`${label}: unit`}
          value={unit}
          onChange={({ currentTarget }) => {
            const next = Number(currentTarget.value);
            if (seconds !== undefined) change((seconds / unit) * next);
            setUnit(next);
          }}
        >
          {UNITS.map(([words, size]) => (
            <option key={size} value={size}>
              {words}
            </option>
          ))}
        </select>
      </div>
    </Labelled>
  );
}

/** Seconds of the largest unit that needs no fraction. */
function largestUnit(seconds: number): number {
  return UNITS.find(([, size]) => seconds % size === 0)?.[1] ?? 1;
}
