import type { PlotOptions } from "@observablehq/plot";
import { useCallback } from "preact/hooks";
import { percent, trimmed } from "../words.ts";
import { Chart } from "./plot.tsx";
import { scoreBars, shareBelow } from "./score-bars.ts";

const BINS = 40;

/** Where a user’s score is among those the model was measured on, and beside the threshold. */
export function ScoreChart({
  score,
  threshold,
  population,
}: {
  score: number;
  threshold: number;
  population: readonly number[];
}) {
  const below = shareBelow(population, score);
  const passing = 1 - shareBelow(population, threshold);
  const options = useCallback(
    (Plot: typeof import("@observablehq/plot"), width: number): PlotOptions => {
      const bars = scoreBars(population, BINS);
      const high = Math.max(...bars.map(({ share }) => share));
      return {
        width,
        height: 156,
        marginBottom: 36,
        marginTop: 26,
        marginLeft: 8,
        marginRight: 14,
        x: { domain: [0, 1], label: "score", ticks: 6 },
        y: { axis: null, domain: [0, high * 1.05] },
        marks: [
          Plot.rectY(bars, {
            x1: "from",
            x2: "to",
            y: "share",
            inset: 0.5,
            fill: (bar: { from: number }) => (bar.from >= threshold - 1e-9 ? "var(--v1)" : "var(--v0)"),
          }),
          Plot.ruleY([0], { stroke: "var(--edge)" }),
          Plot.ruleX([threshold], { stroke: "var(--ink)", strokeDasharray: "4,3" }),
          Plot.text([threshold], {
            x: (value: number) => value,
            frameAnchor: "top",
            dy: -18,
            text: () => `threshold ${threshold.toFixed(2)}`,
            fontSize: 12,
            textAnchor: anchor(threshold),
          }),
          Plot.dot([score], {
            x: (value: number) => value,
            y: 0,
            r: 7,
            fill: "var(--ink)",
            stroke: "var(--card)",
            strokeWidth: 2,
          }),
        ],
      };
    },
    [population, score, threshold],
  );
  return (
    <figure class="stack">
      <Chart
        label={`This user scores ${trimmed(score)}; the threshold is ${trimmed(threshold)}. ${percent(below)} of the users it was measured on score lower.`}
        options={options}
      />
      <figcaption class="small soft">
        ● this user, <b>{score.toFixed(2)}</b>: {percent(below)} of the users it was measured on score lower.{" "}
        {percent(passing)} of them reach the threshold of {threshold.toFixed(2)}.
      </figcaption>
    </figure>
  );
}

function anchor(at: number): "start" | "middle" | "end" {
  return at < 0.12 ? "start" : at > 0.88 ? "end" : "middle";
}
