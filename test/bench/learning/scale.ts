import type { Json } from "../../../core/json.ts";
import { printTable } from "../print-table.ts";
import { inAProcess } from "./in-a-process.ts";
import type { LearnReport } from "./learn-process.ts";
import { fillLog, openLog } from "./made-up-log.ts";

/** Uplift training by all learners of so many decisions, two events each: read from PostgreSQL, fitted and gated. */
export async function benchScale(sizes: readonly number[]): Promise<void> {
  const log = await openLog();
  try {
    const reports: { readonly decisions: number; readonly report: LearnReport }[] = [];
    for (const decisions of sizes) {
      console.error(`writing ${decisions} decisions and ${2 * decisions} events ...`);
      await fillLog(log.sql, decisions);
      console.error("training ...");
      const report = await inAProcess<LearnReport>("learn-process.ts", [log.url, "auto", "uplift"]);
      reports.push({ decisions, report });
    }
    printTable([
      [
        "decisions",
        "events",
        "examples",
        "read s",
        "train s",
        "cpu s",
        ...learnersOf(reports[0]?.report),
        "peak MB",
        "cpu us a decision",
      ],
      ...reports.map(({ decisions, report }) => [
        String(decisions),
        String(2 * decisions),
        String(report.rows),
        report.read_seconds.toFixed(1),
        report.seconds.toFixed(1),
        report.cpu_seconds.toFixed(1),
        ...secondsOf(report),
        report.peak_mb.toFixed(0),
        ((report.cpu_seconds / decisions) * 1e6).toFixed(0),
      ]),
    ]);
    const [first, last] = [reports[0], reports.at(-1)];
    if (first === undefined || last === undefined || first === last) return;
    const growth = (of: (report: LearnReport) => number) => (of(last.report) / of(first.report)).toFixed(1);
    console.log(
      `\n${last.decisions / first.decisions} times the decisions: ${growth(({ seconds }) => seconds)} times the time, ${growth(({ cpu_seconds }) => cpu_seconds)} times the processor's, ${growth(({ peak_mb }) => peak_mb)} times the memory.`,
    );
  } finally {
    await log.stop();
  }
}

function learnersOf(report: LearnReport | undefined): readonly string[] {
  return report === undefined ? [] : benchmarkOf(report).map(({ model_name }) => `${model_name} s`);
}

function secondsOf(report: LearnReport): readonly string[] {
  return benchmarkOf(report).map(({ seconds }) => Number(seconds).toFixed(1));
}

function benchmarkOf({ process }: LearnReport): readonly { readonly [name: string]: Json }[] {
  return process.benchmark as readonly { readonly [name: string]: Json }[];
}
