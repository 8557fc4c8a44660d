import { fitLogistic } from "../../../core/model/logistic.ts";
import { probabilityMetrics } from "../../../core/model/metrics.ts";
import { sigmoid } from "../../../core/model/sigmoid.ts";
import type { PlainRow, Subject } from "./story.ts";

/** A row as scikit-learn was given it. */
export interface PlainExample {
  readonly row: PlainRow;
  readonly label: boolean;
  readonly slice: Subject["slice"];
}

/** On the held-out rows. */
interface Figures {
  readonly auc: number;
  readonly log_loss: number;
  readonly brier: number;
  readonly ece: number;
}

/**
 * Our logistic regression the way scikit-learn's was fitted: texts one-hot (a column for every level), everything
 * standardised, a penalty of 1 (C = 1), on all rows but TEST, no calibration. `fitted` is called between fitting and measuring.
 */
export function fitPlain(
  plain: readonly PlainExample[],
  fitted: () => void = () => {},
): Figures & { readonly columns: number } {
  const fit = plain.filter(({ slice }) => slice !== "validation");
  const test = plain.filter(({ slice }) => slice === "validation");
  const design = designOf(fit.map(({ row }) => row));
  const columns = design.length;
  const labels = (rows: readonly PlainExample[]) => Float64Array.from(rows, ({ label }) => (label ? 1 : 0));
  const x = (rows: readonly PlainExample[]) => matrixOf(rows, design);
  const { coefficients, intercept } = fitLogistic({ x: x(fit), columns, y: labels(fit) }, { l2: 1 });
  fitted();
  const tested = x(test);
  const probabilities = Float64Array.from(test, (_, i) => {
    let z = intercept;
    for (let j = 0; j < columns; j++) z += (coefficients[j] as number) * (tested[i * columns + j] as number);
    return sigmoid(z);
  });
  const { roc_auc, log_loss, brier, ece } = probabilityMetrics(labels(test), probabilities);
  return { auc: roc_auc ?? Number.NaN, log_loss, brier, ece, columns };
}

interface Column {
  readonly value: (row: PlainRow) => number;
  readonly mean: number;
  readonly sd: number;
}

function designOf(rows: readonly PlainRow[]): readonly Column[] {
  const names = Object.keys(rows[0] ?? {});
  const readers = names.flatMap((name) => {
    if (typeof rows[0]?.[name] === "number") return [(row: PlainRow) => Number(row[name])];
    const levels = [...new Set(rows.map((row) => row[name]))].sort();
    return levels.map((level) => (row: PlainRow) => (row[name] === level ? 1 : 0));
  });
  return readers.map((value) => {
    const mean = rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
    const square = rows.reduce((sum, row) => sum + (value(row) - mean) ** 2, 0);
    return { value, mean, sd: Math.sqrt(square / rows.length) || 1 };
  });
}

function matrixOf(rows: readonly { readonly row: PlainRow }[], design: readonly Column[]): Float64Array {
  const x = new Float64Array(rows.length * design.length);
  rows.forEach(({ row }, i) => {
    design.forEach(({ value, mean, sd }, j) => {
      x[i * design.length + j] = (value(row) - mean) / sd;
    });
  });
  return x;
}
