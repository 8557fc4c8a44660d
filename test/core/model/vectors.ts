import { readFileSync } from "node:fs";

/** The cases of one file of test/conformance/vectors. */
export function vectors<T>(name: string): readonly T[] {
  const text = readFileSync(new URL(`../../conformance/vectors/${name}.json`, import.meta.url), "utf8");
  return (JSON.parse(text) as { vectors: readonly T[] }).vectors;
}

/** Whether two numbers are the same within a relative and an absolute tolerance. */
export function close(actual: number, expected: number, { rel = 0, abs = 0 }): boolean {
  return Math.abs(actual - expected) <= abs + rel * Math.abs(expected);
}
