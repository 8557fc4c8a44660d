import { Artifact } from "../../../core/model/artifact.ts";
import type { ModelTarget } from "../../../core/model/model.ts";
import { eventStore } from "../../../server/postgres/events.ts";
import type { Sql } from "../../../server/postgres/sql.ts";
import { printTable } from "../print-table.ts";
import { inAProcess } from "./in-a-process.ts";
import type { LearnReport } from "./learn-process.ts";
import { ENVIRONMENT, FEATURE_KEY, fillLog, openLog } from "./made-up-log.ts";

const DECISIONS = 40_000;
const EVENTS = 10_000;
const BATCH = 1000;
const MOST = 0.01;
/** A coefficient that is this many of its standard errors from 0 is told from it. */
const ERRORS = 2;

/**
 * One of the first users, who are learned from, and had not bought, sends 10,000 purchases after a decision, and is decided for once more with features that
 * show it. How far that moves the coefficients of a logistic model, learned anew.
 */
export async function benchPoisoning(): Promise<void> {
  const log = await openLog();
  try {
    await fillLog(log.sql, DECISIONS);
    const targets = ["uplift", "propensity"] as const;
    const before = new Map<ModelTarget, Fitted>();
    for (const target of targets) before.set(target, await fitted(log.url, target));
    await poison(log.sql);
    const lines: string[][] = [];
    for (const target of targets)
      lines.push(compare(target, before.get(target) as Fitted, await fitted(log.url, target)));
    printTable([
      [
        "target",
        "coefficients",
        "told from 0",
        "largest move of these",
        "of any",
        "of all together",
        "in standard errors",
        "< 1 %",
      ],
      ...lines,
    ]);
  } finally {
    await log.stop();
  }
}

interface Fitted {
  readonly names: readonly string[];
  readonly coefficients: readonly number[];
  readonly errors: readonly number[];
}

async function fitted(url: string, target: ModelTarget): Promise<Fitted> {
  const report = await inAProcess<LearnReport>("learn-process.ts", [url, "logistic", target]);
  const { encoding, model } = Artifact.parse(report.artifact);
  if (model.learner !== "logistic") throw new Error(`Asked for logistic, and got ${model.learner}`);
  const coefficients = [...model.coefficients, model.intercept];
  // The diagonal of a lower triangle.
  const errors = coefficients.map((_, i) => Math.sqrt(model.covariance[(i * (i + 3)) / 2] as number));
  return { names: encoding.columns.map(({ name }) => name), coefficients, errors };
}

async function poison(sql: Sql): Promise<void> {
  const [user] = await sql<{ user_id: string; at: Date }[]>`
    select user_id, min(at) as at from exposures
    where user_id not in (select user_id from events where event_type = 'purchase')
    group by user_id order by at limit 1`;
  if (user === undefined) throw new Error("Every user has bought");
  const store = eventStore(sql);
  for (let from = 0; from < EVENTS; from += BATCH)
    await store.append(
      ENVIRONMENT,
      Array.from({ length: BATCH }, (_, i) => ({
        user_id: user.user_id,
        feature_key: FEATURE_KEY,
        event_type: "purchase",
        timestamp: new Date(user.at.getTime() + 60_000 + from + i).toISOString(),
        properties: { value: 1_000_000 },
      })),
    );
  const grown = { "events.count": EVENTS, "events.per_day": EVENTS / 7, "events.value_sum": EVENTS * 1_000_000 };
  await sql`
    update exposures set features = features || ${JSON.stringify(grown)}::text::jsonb
    where user_id = ${user.user_id} and at > ${user.at}`;
}

function compare(target: ModelTarget, before: Fitted, after: Fitted): string[] {
  if (before.names.join() !== after.names.join())
    throw new Error(`The columns are others now: ${after.names.join(", ")} instead of ${before.names.join(", ")}`);
  const moves = before.coefficients.map((coefficient, i) => {
    const move = Math.abs((after.coefficients[i] as number) - coefficient);
    return { move, size: Math.abs(coefficient), error: before.errors[i] as number };
  });
  const told = moves.filter(({ size, error }) => size > ERRORS * error);
  const largestOf = (some: typeof moves) => Math.max(...some.map(({ move, size }) => move / size));
  const largest = largestOf(told);
  const length = (of: (one: (typeof moves)[number]) => number) => Math.hypot(...moves.map(of));
  const percent = (share: number) => `${(100 * share).toFixed(3)} %`;
  return [
    target,
    String(moves.length),
    String(told.length),
    percent(largest),
    percent(largestOf(moves)),
    percent(length(({ move }) => move) / length(({ size }) => size)),
    Math.max(...moves.map(({ move, error }) => move / error)).toFixed(3),
    largest < MOST ? "yes" : "NO",
  ];
}
