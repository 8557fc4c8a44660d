/** Names and values of a new feature's variants; `off` stays. */
export function VariantsEditor({
  variants,
  change,
}: {
  variants: readonly (readonly [string, string])[];
  change: (variants: (readonly [string, string])[]) => void;
}) {
  const set = (index: number, entry: readonly [string, string]) =>
    change(variants.map((before, at) => (at === index ? entry : before)));
  return (
    <fieldset class="stack">
      <legend>Variants: name and value</legend>
      {variants.map(([name, text], index) => (
        <div class="entry" key={index}>
          <input
            aria-label={`Name of variant ${index + 1}`}
            required
            value={name}
            readOnly={name === "off"}
            onInput={({ currentTarget }) => set(index, [currentTarget.value, text])}
          />
          <input
            aria-label={`Value of variant ${index + 1}`}
            class="mono"
            required
            value={text}
            onInput={({ currentTarget }) => set(index, [name, currentTarget.value])}
          />
          {name !== "off" && variants.length > 2 && (
            <button
              type="button"
              class="small"
              aria-label={`Remove ${name}`}
              onClick={() => change(variants.filter((_, at) => at !== index))}
            >
              Remove
            </button>
          )}
        </div>
      ))}
      <div>
        <button
          type="button"
          class="small"
          onClick={() => change([...variants.slice(0, -1), [`variant${variants.length}`, ""], ...variants.slice(-1)])}
        >
          Add a variant
        </button>
      </div>
    </fieldset>
  );
}
