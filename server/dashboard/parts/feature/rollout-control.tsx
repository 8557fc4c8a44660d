const PRESETS = [0, 1, 5, 10, 25, 50, 100];

/** A percentage as number, slider and presets; steps of 0.001. */
export function RolloutControl({
  value,
  change,
  label = "Percentage of users",
}: {
  value: number;
  change: (percentage: number) => void;
  label?: string;
}) {
  const set = (text: string) => {
    const number = Number(text);
    if (text !== "" && Number.isFinite(number)) change(Math.min(100, Math.max(0, Math.round(number * 1000) / 1000)));
  };
  return (
    <div class="rollout">
      <div class="unit">
        <input
          type="number"
          min={0}
          max={100}
          step={0.001}
          required
          aria-label={label}
          value={value}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
        %
      </div>
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        aria-label={`${label}, as a slider`}
        value={value}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
      <div class="presets">
        {PRESETS.map((preset) => (
          <button
            key={preset}
            type="button"
            class="small"
            aria-pressed={preset === value}
            onClick={() => change(preset)}
          >
            {preset} %
          </button>
        ))}
      </div>
    </div>
  );
}
