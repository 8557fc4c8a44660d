import type { PlotOptions } from "@observablehq/plot";
import { useCallback } from "preact/hooks";
import type { Feature, Model } from "../../wire.ts";
import { percent } from "../../words.ts";
import { AsTable } from "../as-table.tsx";
import { Chart } from "../plot.tsx";
import { type ScoreBar, scoreBars, shareBelow } from "../score-bars.ts";
import { figuresOf } from "./figures-of.ts";
import { thresholdOf } from "./threshold-of.ts";

const BARS = 30;

/** How the held-out rows score, and how many of them the threshold lets pass. */
export function ScoreDistribution({ model, feature }: { model: Model; feature: Feature | undefined }) {
  const { probability_quantiles: quantiles = [] } = figuresOf(model);
  const threshold = thresholdOf(model, feature, quantiles);
  const at = threshold?.value;
  const options = useCallback(
    (Plot: typeof import("@observablehq/plot"), width: number): PlotOptions => {
      const high = highOf(quantiles, at);
      const bars = scoreBars(quantiles, BARS, high);
      return {
        width: Math.min(width, 520),
        height: 200,
        marginBottom: 40,
        marginTop: 28,
        marginLeft: 12,
        marginRight: 12,
        x: { domain: [0, high * 100], label: "score, %", ticks: 6 },
        y: { axis: null, domain: [0, Math.max(...bars.map(({ share }) => share)) * 1.05] },
        marks: [
          Plot.rectY(bars, {
            x1: (bar: ScoreBar) => bar.from * 100,
            x2: (bar: ScoreBar) => bar.to * 100,
            y: "share",
            inset: 0.5,
            fill: (bar: ScoreBar) => (at === undefined || bar.to > at ? "var(--v1)" : "var(--v0)"),
          }),
          Plot.ruleY([0], { stroke: "var(--edge)" }),
          ...(at === undefined
            ? []
            : [
                Plot.ruleX([at * 100], { stroke: "var(--ink)", strokeDasharray: "4,3" }),
                Plot.text([at * 100], {
                  x: (value: number) => value,
                  frameAnchor: "top",
                  dy: -20,
                  text: () => `threshold ${percent(at)}`,
                  fontSize: 12,
                  textAnchor: at < high * 0.2 ? "start" : at > high * 0.8 ? "end" : "middle",
                }),
              ]),
        ],
      };
    },
    [quantiles, at],
  );
  if (quantiles.length === 0) return null;
  const tenths = [0.1, 0.25, 0.5, 0.75, 0.9];
  const quantile = (share: number) => quantiles[Math.round(share * (quantiles.length - 1))] as number;
  return (
    <section class="card stack">
      <h2>How users score</h2>
      <p class="small soft">
        {threshold === undefined
          ? "What it expects of the held-out rows, with the variant they were served."
          : `${percent(1 - shareBelow(quantiles, threshold.value))} of the held-out rows reach ${threshold.words}.`}
      </p>
      <Chart
        label={`Scores of the held-out rows: ${tenths.map((share) => `${percent(share, 0)} are below ${percent(quantile(share))}`).join(", ")}`}
        options={options}
      />
      <AsTable
        label="Scores"
        head={["Share of rows", "Score below"]}
        rows={[0.05, ...tenths, 0.95, 1].map((share) => [percent(share, 0), percent(quantile(share))])}
      />
    </section>
  );
}

/** Where the scale ends: rare outcomes would else be one bar at the left. */
function highOf(quantiles: readonly number[], threshold = 0): number {
  const most = Math.max(quantiles.at(-1) ?? 1, threshold);
  return Math.min(1, Math.max(0.02, Math.ceil(most * 21) / 20));
}
