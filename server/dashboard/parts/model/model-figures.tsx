import type { Model } from "../../wire.ts";
import { count, percent, trimmed } from "../../words.ts";
import { type Figures, figuresOf } from "./figures-of.ts";

type Figure = readonly [name: string, field: keyof Figures, kind: "share" | "number", better: "more" | "less"];

const FIGURES: readonly Figure[] = [
  ["ROC AUC", "roc_auc", "number", "more"],
  ["Log loss", "log_loss", "number", "less"],
  ["Base rate’s log loss", "base_rate_log_loss", "number", "less"],
  ["Calibration error", "ece", "share", "less"],
  ["Precision", "precision", "share", "more"],
  ["Recall", "recall", "share", "more"],
  ["Effect on the likelier half", "uplift_top_half", "share", "more"],
  ["Effect on the other half", "uplift_bottom_half", "share", "more"],
];

/** The model's measures on rows it never saw, beside the live model's when it is another. */
export function ModelFigures({ model, live }: { model: Model; live: Model | undefined }) {
  const own = figuresOf(model);
  const others = live === undefined ? {} : figuresOf(live);
  const { rows, positive_rate, test_rows } = own;
  return (
    <>
      <dl class="facts">
        {FIGURES.filter(([, field]) => typeof own[field] === "number").map(([name, field, kind, better]) => (
          <div key={field}>
            <dt>{name}</dt>
            <dd>
              {said(own[field], kind)}
              <small>{live === undefined ? `${better} is better` : `live model: ${said(others[field], kind)}`}</small>
            </dd>
          </div>
        ))}
      </dl>
      {rows !== undefined && (
        <p class="small soft">
          Learned from {count(rows)} moments
          {positive_rate !== undefined && `, of which ${percent(positive_rate)} reached the objective`}
          {test_rows !== undefined && `; measured on the newest ${count(test_rows)}, which it never saw`}.
        </p>
      )}
    </>
  );
}

function said(value: unknown, kind: Figure[2]): string {
  if (typeof value !== "number") return "–";
  return kind === "share" ? percent(value) : trimmed(value, 3);
}
