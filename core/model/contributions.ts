import type { Artifact } from "./artifact.ts";
import { columnsOf } from "./encoding.ts";
import { logisticCoefficients } from "./logistic-predictor.ts";
import type { Predictor } from "./predictor.ts";
import { pathContributions } from "./tree-predictor.ts";

/** What a row's features added to its log odds or, for uplift, to the difference of the log odds under two arms. */
export interface Contributions {
  /**
   * exact: base and all items add up. path: they add up too, but what a feature added depends on what the trees asked before
   * it. approximate: each is the change when the feature, alone, is put to its mean; they need not add up.
   */
  readonly method: "exact" | "path" | "approximate";
  /** What is there without any feature. */
  readonly base: number;
  /** Largest first. */
  readonly items: readonly { readonly feature: string; readonly contribution: number }[];
}

/** @param against the arm that `arm` is compared with; null: the log odds themselves are explained */
export function contributionsOf(
  { encoding, model }: Pick<Artifact, "encoding" | "model">,
  predictor: Predictor,
  x: Float64Array,
  arm: number,
  against: number | null,
): Contributions {
  const byFeature = (of: (columns: readonly number[]) => number) =>
    encoding.features
      .map((feature) => ({ feature: feature.name, contribution: of(columnsOf(feature)) }))
      .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const bySum = (columns: Float64Array) => byFeature((own) => own.reduce((sum, j) => sum + (columns[j] as number), 0));

  if (model.learner === "logistic") {
    const all = logisticCoefficients(model);
    const other = against === null ? undefined : all[against];
    const added = (all[arm] as Float64Array).map((value, j) => (value - (other?.[j] ?? 0)) * (x[j] ?? 1));
    return { method: "exact", base: added.at(-1) as number, items: bySum(added) };
  }
  if (model.learner === "trees") {
    const one = pathContributions(model, x, 0, arm);
    const other = against === null ? undefined : pathContributions(model, x, 0, against);
    const added = one.contributions.map((value, j) => value - (other?.contributions[j] ?? 0));
    return { method: "path", base: one.base - (other?.base ?? 0) + (added.at(-1) as number), items: bySum(added) };
  }
  const said = (row: Float64Array) => {
    const logOdds = (which: number) => predictor.logOdds(predictor.raw(row, 0, which));
    return logOdds(arm) - (against === null ? 0 : logOdds(against));
  };
  const whole = said(x);
  const without = (columns: readonly number[]) => {
    const row = Float64Array.from(x);
    for (const column of columns) row[column] = 0;
    return whole - said(row);
  };
  return { method: "approximate", base: said(new Float64Array(x.length)), items: byFeature(without) };
}
