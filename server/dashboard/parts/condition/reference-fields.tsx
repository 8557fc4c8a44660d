import { useId } from "preact/hooks";
import { get } from "../../api.ts";
import { useResource } from "../../use-resource.ts";
import type { Condition, Feature } from "../../wire.ts";

type Kind<Field extends string> = Extract<Condition, { [key in Field]: unknown }>;
interface Props<Field extends string> {
  readonly value: Kind<Field>;
  change(condition: Condition): void;
}

export function SegmentField({ value, change }: Props<"segment">) {
  const list = useId();
  const segments = useResource("segments", (signal) =>
    get<readonly { key: string; name: string }[]>("/segments", signal),
  );
  return (
    <>
      <input
        aria-label="Segment"
        required
        list={list}
        value={value.segment}
        placeholder={segments.value?.length === 0 ? "there is no segment yet" : "key of a segment"}
        onInput={({ currentTarget }) => change({ segment: currentTarget.value })}
        autocomplete="off"
        spellcheck={false}
      />
      <datalist id={list}>
        {segments.value?.map(({ key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </datalist>
    </>
  );
}

export function FeatureFields({ value, change }: Props<"feature">) {
  const list = useId();
  const features = useResource("features", (signal) => get<readonly Feature[]>("/features", signal));
  const variants = features.value?.find(({ key }) => key === value.feature)?.variants;
  return (
    <>
      <input
        aria-label="Feature"
        required
        list={list}
        value={value.feature}
        placeholder="key of another feature"
        onInput={({ currentTarget }) => change({ ...value, feature: currentTarget.value })}
        autocomplete="off"
        spellcheck={false}
      />
      <datalist id={list}>
        {features.value?.map(({ key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </datalist>
      <input
        aria-label="One of these variants"
        title={variants === undefined ? undefined : `It has ${Object.keys(variants).join(", ")}`}
        placeholder="anything but off"
        value={value.variant?.join(", ") ?? ""}
        onChange={({ currentTarget }) => {
          const names = currentTarget.value.split(",").flatMap((name) => name.trim() || []);
          change(names.length === 0 ? { feature: value.feature } : { ...value, variant: names });
        }}
        autocomplete="off"
        spellcheck={false}
      />
    </>
  );
}

export function GateField({ value, change }: Props<"gate">) {
  return (
    <>
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
      <span class="soft">%</span>
    </>
  );
}
