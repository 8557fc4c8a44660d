import { useId, useState } from "preact/hooks";
import { percent } from "../../words.ts";
import type { FieldProps } from "./field-props.ts";
import { Labelled } from "./labelled.tsx";
import { hintOf, isDuration, isShare, labelOf } from "./schema.ts";
import { largestUnit, TIME_UNITS } from "./time-unit.ts";
import { TypedInput } from "./typed-input.tsx";

/** A number with its unit: seconds in whichever unit says them well, shares in percent beside it. */
export function NumberField(props: FieldProps) {
  const { name, schema, label = labelOf(name, schema), value, required, change } = props;
  const id = useId();
  if (isDuration(name)) return <DurationField {...props} />;
  const unit = name.endsWith("_ms") ? "ms" : isShare(schema) && typeof value === "number" ? `= ${percent(value)}` : "";
  return (
    <Labelled id={id} label={label} hint={hintOf(name, schema)}>
      <div class="unit">
        <TypedInput
          id={id}
          type="number"
          step={schema.type === "integer" ? 1 : "any"}
          min={schema.minimum ?? schema.exclusiveMinimum}
          max={schema.maximum}
          required={required}
          aria-describedby={`${id}-hint`}
          value={typeof value === "number" ? String(value) : ""}
          change={(text) => change(text === "" ? undefined : Number(text))}
        />
        {unit !== "" && <span class="soft nums">{unit}</span>}
      </div>
    </Labelled>
  );
}

function DurationField({ name, schema, label = labelOf(name, schema), value, required, change }: FieldProps) {
  const id = useId();
  const seconds = typeof value === "number" ? value : undefined;
  const [unit, setUnit] = useState(largestUnit(seconds ?? (typeof schema.default === "number" ? schema.default : 0)));
  return (
    <Labelled id={id} label={label} hint={hintOf(name, schema)}>
      <div class="unit">
        <TypedInput
          id={id}
          type="number"
          step="any"
          min={(schema.minimum ?? schema.exclusiveMinimum ?? 0) / unit}
          required={required}
          aria-describedby={`${id}-hint`}
          value={seconds === undefined ? "" : String(seconds / unit)}
          change={(text) => change(text === "" ? undefined : Math.round(Number(text) * unit))}
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
          {TIME_UNITS.map(([unitName, size]) => (
            <option key={size} value={size}>
              {unitName}s
            </option>
          ))}
        </select>
      </div>
    </Labelled>
  );
}
