import type { PlotOptions } from "@observablehq/plot";
import { useCallback } from "preact/hooks";
import type { Model } from "../../wire.ts";
import { percent, trimmed } from "../../words.ts";
import { Heads } from "../heads.tsx";
import { Chart } from "../plot.tsx";
import { Scroll } from "../scroll.tsx";
import { figuresOf } from "./figures-of.ts";

interface Learner {
  readonly model_name: string;
  readonly status: string;
  readonly log_loss?: number;
  readonly roc_auc?: number;
  readonly ece?: number;
  readonly seconds?: number;
}

/** Every learner that was fitted, and which was kept. */
export function LearnersCard({ model }: { model: Model }) {
  const learners = (Array.isArray(model.benchmark) ? model.benchmark : []) as unknown as readonly Learner[];
  const options = useCallback(
    (Plot: typeof import("@observablehq/plot"), width: number): PlotOptions => {
      const fitted = learners.filter(({ log_loss }) => log_loss !== undefined);
      const base = figuresOf(model).base_rate_log_loss;
      return {
        width,
        marginTop: 6,
        marginBottom: 38,
        height: 44 + fitted.length * 32,
        marginLeft: 76,
        marginRight: 24,
        x: { label: "log loss, less is better", grid: true, zero: false, ticks: width < 480 ? 3 : 5, inset: 12 },
        y: { label: null, tickSize: 0 },
        marks: [
          ...(base !== undefined ? [Plot.ruleX([base], { stroke: "var(--edge)", strokeDasharray: "4,3" })] : []),
          Plot.dot(fitted, {
            x: "log_loss",
            y: "model_name",
            r: 6,
            fill: (learner: Learner) => (learner.model_name === model.model_name ? "var(--v1)" : "var(--v0)"),
            stroke: "var(--edge)",
          }),
        ],
      };
    },
    [learners, model],
  );
  if (learners.length === 0) return null;
  return (
    <section class="card stack">
      <h2>Learners that were tried</h2>
      {learners.length > 1 && (
        <Chart
          label={`Log loss of ${learners.map(({ model_name, log_loss }) => `${model_name} ${trimmed(log_loss ?? 0, 3)}`).join(", ")}; the dashed line is the base rate's`}
          options={options}
        />
      )}
      <Scroll label="Learners">
        <table class="compact">
          <Heads
            names={["Learner", "Log loss", "ROC AUC", "Calibration error", "Seconds"]}
            figures={["Log loss", "ROC AUC", "Calibration error", "Seconds"]}
          />
          <tbody>
            {learners.map(({ model_name, status, log_loss, roc_auc, ece, seconds }) => (
              <tr key={model_name}>
                <td>
                  {model_name} {model_name === model.model_name && <span class="chip good">kept</span>}
                  {status !== "fitted" && <span class="small soft break"> {status}</span>}
                </td>
                <td class="num">{log_loss?.toFixed(3) ?? "–"}</td>
                <td class="num">{roc_auc?.toFixed(3) ?? "–"}</td>
                <td class="num">{ece === undefined ? "–" : percent(ece)}</td>
                <td class="num">{seconds?.toFixed(2) ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
