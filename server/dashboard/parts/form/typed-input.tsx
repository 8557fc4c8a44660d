import type { JSX } from "preact";
import { useState } from "preact/hooks";

export interface TypedInputProps {
  readonly id?: string;
  /** Default text. */
  readonly type?: "text" | "number" | "datetime-local";
  readonly step?: number | "any" | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly required?: boolean;
  readonly title?: string;
  readonly placeholder?: string;
  readonly "aria-label"?: string;
  readonly "aria-describedby"?: string;
  readonly value: string;
  /** Told every keystroke. */
  change(text: string): void;
}

/** Shows what is typed while it is typed, though it may be read as something shorter: "0." as 0, "a, " as a list of one. */
export function TypedInput({ value, change, type = "text", ...rest }: TypedInputProps) {
  const [typed, setTyped] = useState<string>();
  const attributes = { autocomplete: "off", spellcheck: false, type, ...rest } as JSX.IntrinsicElements["input"];
  return (
    <input
      {...attributes}
      value={typed ?? value}
      onInput={({ currentTarget }) => {
        setTyped(currentTarget.value);
        change(currentTarget.value);
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}
