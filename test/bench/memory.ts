import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import type { Row } from "./row.ts";

const FEATURES = 10_000;
const TARGET = 1_000;

/**
 * Heap that 10,000 mixed features take, a feature, in a process of its own. Two figures: all of it, the definitions that the
 * snapshot keeps included (as its JSON was parsed), which is what PERFORMANCE.md's other engines are measured by; and what
 * compiling adds to the definitions.
 */
export async function benchMemory(): Promise<Row[]> {
  const args = ["--expose-gc", "test/bench/heap-process.ts", String(FEATURES)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { definitions, compiled } = JSON.parse(stdout) as { definitions: number; compiled: number };
  const row = (what: string, bytes: number): Row => ({
    what,
    ours: `${Math.round(bytes)} bytes`,
    other: `${TARGET} bytes`,
    ratio: bytes / TARGET,
    target: { atMost: 1 },
  });
  return [
    row("heap a feature of 10,000, with its definition", definitions + compiled),
    row("heap a feature of 10,000, what compiling adds", compiled),
  ];
}
