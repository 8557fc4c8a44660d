import {
  type CheckedRange,
  type ComparedUser,
  comparedUsers,
  everyFor,
  surveyExposures,
} from "../../server/postgres/checked-exposures.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import type { CheckedScope } from "./checked-scope.ts";

/** Exposures that are looked at: many, as rare outcomes need them. */
const SAMPLE = 1_000_000;

/** The users of the feature's learning steps since then whose outcomes are known; none without an outcome to speak of. */
export async function* readCompared(
  sql: Sql,
  { outcome, steps, configuration, feature_keys }: CheckedScope,
  between: Pick<CheckedRange, "since" | "until">,
): AsyncGenerator<ComparedUser> {
  if (outcome === null) return;
  const all = { ...between, environment: configuration.environment, feature_keys, every: 1 };
  const { total } = await surveyExposures(sql, all);
  yield* comparedUsers(sql, { ...all, every: everyFor(total, SAMPLE) }, steps, outcome);
}
