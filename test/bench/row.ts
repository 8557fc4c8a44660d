import { printTable } from "./print-table.ts";

/** One line of the bench's table. Only the ratio is held against a target: absolute figures drift between machines. */
export interface Row {
  readonly what: string;
  /** With unit, as printed: "120 ns", "24,100 req/s". */
  readonly ours: string;
  /** The same of what it is compared with, named. */
  readonly other: string;
  /** How many times better ours is (`atLeast`), or how many times more it costs (`atMost`). */
  readonly ratio: number;
  readonly target?: { readonly atLeast: number } | { readonly atMost: number };
}

export function isMet({ ratio, target }: Row): boolean {
  if (target === undefined) return true;
  return "atLeast" in target ? ratio >= target.atLeast : ratio <= target.atMost;
}

export function printRows(rows: readonly Row[]): void {
  const lines = rows.map((row) => [
    row.what,
    row.ours,
    row.other,
    row.ratio.toFixed(2),
    row.target === undefined ? "-" : "atLeast" in row.target ? `>= ${row.target.atLeast}` : `<= ${row.target.atMost}`,
    row.target === undefined ? "-" : isMet(row) ? "yes" : "NO",
  ]);
  printTable([["what", "ours", "other", "ratio", "target", "met"], ...lines]);
}
