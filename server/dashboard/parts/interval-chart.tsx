import type { PlotOptions } from "@observablehq/plot";
import { useCallback } from "preact/hooks";
import { percent } from "../words.ts";
import { Chart } from "./plot.tsx";

export interface IntervalRow {
  readonly name: string;
  readonly value: number;
  readonly interval: readonly [number, number] | null;
}

/** Pixels of one in the names of rows, on average. */
const LETTER = 6.3;

/** Shares as dots with their intervals; `zero` draws the line of no difference. */
export function IntervalChart({
  rows,
  axis,
  zero = false,
}: {
  rows: readonly IntervalRow[];
  axis: string;
  zero?: boolean;
}) {
  const options = useCallback(
    (Plot: typeof import("@observablehq/plot"), width: number): PlotOptions => {
      // Room for the names, as far as there is.
      const room = Math.min(width * 0.4, 28 + 7 * Math.max(...rows.map(({ name }) => name.length)));
      const letters = Math.floor((room - 14) / LETTER);
      return {
        width,
        marginTop: 6,
        marginBottom: 38,
        height: 44 + rows.length * 38,
        marginLeft: room,
        marginRight: 24,
        x: { label: axis, percent: true, grid: true, nice: true, zero, inset: 12 },
        y: {
          label: null,
          tickSize: 0,
          domain: rows.map(({ name }) => name),
          tickFormat: (name: string) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name),
        },
        marks: [
          ...(zero ? [Plot.ruleX([0], { stroke: "var(--ink)" })] : []),
          Plot.ruleY(
            rows.filter(({ interval }) => interval !== null),
            {
              y: "name",
              x1: (row: IntervalRow) => row.interval?.[0],
              x2: (row: IntervalRow) => row.interval?.[1],
              stroke: "var(--v1)",
              strokeWidth: 4,
            },
          ),
          Plot.dot(rows, { x: "value", y: "name", r: 6, fill: "var(--v1)", stroke: "var(--card)", strokeWidth: 2 }),
        ],
      };
    },
    [rows, axis, zero],
  );
  const words = rows
    .map(
      ({ name, value, interval }) =>
        `${name} ${percent(value)}${interval === null ? "" : ` (${percent(interval[0])} to ${percent(interval[1])})`}`,
    )
    .join("; ");
  return <Chart label={`${axis}: ${words}`} options={options} />;
}
