import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import type { Row } from "./row.ts";

const FEATURES = 10_000;
const TARGET = 1_000;

/** Heap that a snapshot of 10,000 mixed features takes, a feature, its definition included, in a process of its own. */
export async function benchMemory(): Promise<Row[]> {
  const args = ["--expose-gc", "test/bench/heap-process.ts", String(FEATURES)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { bytes } = JSON.parse(stdout) as { bytes: number };
  return [
    {
      what: "heap a feature of 10,000, definition and all",
      ours: `${Math.round(bytes)} bytes`,
      other: `${TARGET} bytes`,
      ratio: bytes / TARGET,
      target: { atMost: 1 },
    },
  ];
}
