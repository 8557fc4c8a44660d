/** What is served when no step decides. */
export function FallbackChoice({
  value,
  variants,
  change,
}: {
  value: string;
  variants: readonly string[];
  change: (variant: string) => void;
}) {
  return (
    <div class="card spread">
      <span>
        When no step decides, serve the fallback variant <span class="soft">(also when everything fails)</span>
      </span>
      <select
        aria-label="Fallback variant"
        value={value}
        style={{ width: "auto" }}
        onChange={({ currentTarget }) => change(currentTarget.value)}
      >
        {variants.map((variant) => (
          <option key={variant}>{variant}</option>
        ))}
      </select>
    </div>
  );
}
