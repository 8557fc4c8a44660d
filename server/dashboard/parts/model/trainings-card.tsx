import type { PlotOptions } from "@observablehq/plot";
import { useCallback } from "preact/hooks";
import { hrefOf, query } from "../../router.ts";
import type { Model } from "../../wire.ts";
import { count, percent, when } from "../../words.ts";
import { Heads } from "../heads.tsx";
import { Chart } from "../plot.tsx";
import { Scroll } from "../scroll.tsx";
import { figuresOf } from "./figures-of.ts";
import { StatusChip } from "./status-chip.tsx";

const FIGURES = ["Rows", "Reached it", "Log loss", "ROC AUC"];

/** Every training of one scope: what it learned from, and how good it was. `models` newest first. */
export function TrainingsCard({ models }: { models: readonly Model[] }) {
  const options = useCallback(
    (Plot: typeof import("@observablehq/plot"), width: number): PlotOptions => {
      const points = models.toReversed().flatMap((model) => {
        const { log_loss, base_rate_log_loss } = figuresOf(model);
        const name = numberOf(model);
        return [
          ...(log_loss === undefined ? [] : [{ name, kind: "model", loss: log_loss }]),
          ...(base_rate_log_loss === undefined ? [] : [{ name, kind: "base rate", loss: base_rate_log_loss }]),
        ];
      });
      const of = (kind: string) => points.filter((point) => point.kind === kind);
      return {
        width,
        height: 190,
        marginLeft: 48,
        marginBottom: 38,
        marginTop: 24,
        x: { type: "point", domain: [...new Set(points.map(({ name }) => name))], label: "version" },
        y: { label: "log loss, less is better", grid: true, ticks: 5, nice: true, zero: false },
        marks: [
          Plot.line(of("base rate"), { x: "name", y: "loss", stroke: "var(--edge)", strokeDasharray: "4,3" }),
          Plot.line(of("model"), { x: "name", y: "loss", stroke: "var(--v1)", strokeWidth: 2 }),
          Plot.dot(of("model"), { x: "name", y: "loss", r: 4.5, fill: "var(--v1)", stroke: "var(--card)" }),
        ],
      };
    },
    [models],
  );
  return (
    <section class="card stack">
      <h2>Trainings</h2>
      {models.length > 1 && (
        <>
          <Chart
            label={`Log loss by version: ${models.map((model) => `${numberOf(model)} ${figure(figuresOf(model).log_loss)}`).join(", ")}`}
            options={options}
          />
          <p class="small soft">Dashed: what a plain rollout would have assumed of everybody, the base rate.</p>
        </>
      )}
      <Scroll label="Trainings">
        <table class="compact">
          <Heads names={["Version", "Trained", ...FIGURES, "State"]} figures={FIGURES} />
          <tbody>
            {models.map((model) => (
              <Training key={model.model_version} model={model} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function Training({ model }: { model: Model }) {
  const { rows, positive_rate, log_loss, roc_auc } = figuresOf(model);
  const { model_version, trained_at } = model;
  return (
    <tr>
      <td>
        <a href={hrefOf("/app/models", { feature: query("feature"), version: model_version })}>{model_version}</a>
      </td>
      <td class="small soft nowrap">{when(trained_at)}</td>
      <td class="num">{rows === undefined ? "–" : count(rows)}</td>
      <td class="num">{positive_rate === undefined ? "–" : percent(positive_rate)}</td>
      <td class="num">{figure(log_loss)}</td>
      <td class="num">{figure(roc_auc)}</td>
      <td>
        <StatusChip model={model} />
      </td>
    </tr>
  );
}

function figure(value: number | undefined): string {
  return typeof value === "number" ? value.toFixed(3) : "–";
}

/** "checkout@3" is "@3". */
function numberOf({ model_version }: Model): string {
  return model_version.slice(model_version.lastIndexOf("@"));
}
