import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type Trained, trainedHere } from "./trained-here.ts";

const script = fileURLToPath(new URL("trained-here.ts", import.meta.url));
const deno = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "bin.cjs");

function trainedBy(command: string, args: readonly string[]): readonly Trained[] {
  return JSON.parse(execFileSync(command, [...args, script], { encoding: "utf8" }));
}

describe("the same data and seed", () => {
  test("make the same model of every learner, byte for byte, in another process", () => {
    const here = trainedHere();
    expect(trainedBy(process.execPath, [])).toEqual(here);
  });

  test("make models under Node and Deno whose probabilities are equal within 1e-9", () => {
    const [node, other] = [trainedHere(), trainedBy(process.execPath, [deno, "run", "-A"])];
    for (const [i, { learner, probabilities }] of node.entries()) {
      const there = other[i] as Trained;
      const apart = Math.max(...probabilities.map((p, row) => Math.abs(p - (there.probabilities[row] as number))));
      expect(apart, learner).toBeLessThan(1e-9);
    }
  });
});
