import type { PlotOptions } from "@observablehq/plot";
import { useCallback } from "preact/hooks";
import type { Model } from "../../wire.ts";
import { count, percent } from "../../words.ts";
import { AsTable } from "../as-table.tsx";
import { Chart } from "../plot.tsx";
import { figuresOf, type Tenth } from "./figures-of.ts";

/** Do its probabilities come true? Tenths of the held-out rows: stated against observed. */
export function CalibrationCard({ model }: { model: Model }) {
  const { calibration_curve: tenths = [], ece } = figuresOf(model);
  const options = useCallback(
    (Plot: typeof import("@observablehq/plot"), width: number): PlotOptions => {
      const high = Math.min(
        1,
        Math.max(0.02, ...tenths.map(({ stated, observed }) => Math.max(stated, observed))) * 1.1,
      );
      const side = Math.min(width, 420);
      return {
        width: side,
        height: Math.round(side * 0.78),
        marginLeft: 52,
        marginBottom: 40,
        marginTop: 24,
        x: { domain: [0, high * 100], label: "stated, %", ticks: 5 },
        y: { domain: [0, high * 100], label: "observed, %", ticks: 5, grid: true },
        marks: [
          Plot.line([0, high * 100], {
            x: (at: number) => at,
            y: (at: number) => at,
            stroke: "var(--edge)",
            strokeDasharray: "4,3",
          }),
          Plot.ruleX(tenths, {
            x: (tenth: Tenth) => tenth.stated * 100,
            y1: (tenth: Tenth) => Math.max(0, tenth.observed - errorOf(tenth)) * 100,
            y2: (tenth: Tenth) => Math.min(high, tenth.observed + errorOf(tenth)) * 100,
            stroke: "var(--v1)",
            strokeOpacity: 0.5,
            strokeWidth: 2,
          }),
          Plot.line(tenths, {
            x: (tenth: Tenth) => tenth.stated * 100,
            y: (tenth: Tenth) => tenth.observed * 100,
            stroke: "var(--v1)",
          }),
          Plot.dot(tenths, {
            x: (tenth: Tenth) => tenth.stated * 100,
            y: (tenth: Tenth) => tenth.observed * 100,
            r: 4.5,
            fill: "var(--v1)",
            stroke: "var(--card)",
          }),
        ],
      };
    },
    [tenths],
  );
  if (tenths.length === 0) return null;
  return (
    <section class="card stack">
      <h2>Do its probabilities come true?</h2>
      <p class="small soft">
        Held-out rows in tenths, by rising probability. On the dashed line, what it says is what comes
        {ece !== undefined && `; it is off by ${percent(ece)} on average`}. The bars are 95 % intervals.
      </p>
      <Chart
        label={`Stated and observed: ${tenths.map(({ stated, observed }) => `${percent(stated)} and ${percent(observed)}`).join("; ")}`}
        options={options}
      />
      <AsTable
        label="Stated and observed"
        head={["Tenth", "Rows", "Stated", "Observed"]}
        rows={tenths.map(({ rows, stated, observed }, index) => [
          String(index + 1),
          count(rows),
          percent(stated),
          percent(observed),
        ])}
      />
    </section>
  );
}

/** Half of a 95 % interval of a share. */
function errorOf({ rows, observed }: Tenth): number {
  return 1.96 * Math.sqrt((observed * (1 - observed)) / rows);
}
