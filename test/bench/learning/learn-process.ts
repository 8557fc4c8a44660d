/**
 * One training as a worker does it, in a process of its own: `node learn-process.ts <database> <learner> <target>` prints a
 * LearnReport.
 */
import { performance } from "node:perf_hooks";
import process from "node:process";
import type { Json } from "../../../core/json.ts";
import type { Learner, ModelTarget } from "../../../core/model/model.ts";
import { learn } from "../../../workers/learn.ts";
import { peakMegabytes } from "./in-a-process.ts";
import { ENVIRONMENT, FEATURE_KEY, NOW } from "./made-up-log.ts";

export interface LearnReport {
  readonly rows: number;
  readonly read_seconds: number;
  readonly seconds: number;
  /** Of this process: what it takes however busy the machine is. PostgreSQL's own are not in it. */
  readonly cpu_seconds: number;
  readonly peak_mb: number;
  readonly artifact: Json;
  readonly process: Readonly<Record<string, Json>>;
  readonly verdict: string;
}

const [databaseUrl = "", learner, target] = process.argv.slice(2);
const began = performance.now();
const seconds = () => (performance.now() - began) / 1000;
const learning = learn({
  databaseUrl,
  environment: ENVIRONMENT,
  request: {
    feature_key: FEATURE_KEY,
    learner: learner as Learner | "auto",
    target: target as ModelTarget,
    seed: 1,
    window_seconds: null,
    positive_event_types: null,
    cut: null,
  },
  defaults: {
    positive_event_types: ["purchase"],
    view_event_types: ["view"],
    funnel: { intermediate: [], terminal: [] },
  },
  now: NOW,
  plugins: [],
});
const { rows } = await learning.read;
const read_seconds = seconds();
const { artifact, process: how, verdict } = await learning.model;
const { user, system } = process.cpuUsage();
const report: LearnReport = {
  ...{ rows, read_seconds, seconds: seconds(), cpu_seconds: (user + system) / 1e6, peak_mb: peakMegabytes() },
  ...{ artifact, process: how, verdict },
};
console.log(JSON.stringify(report));
