import { getLogger } from "@logtape/logtape";
import type { Sql } from "../../server/postgres/sql.ts";
import { recoverRuns } from "../../server/postgres/training-runs.ts";

/** Puts training jobs whose worker is gone back into the queue. Run every few seconds by every worker process. */
export async function recoverJobs(sql: Sql): Promise<void> {
  const moved = await recoverRuns(sql);
  if (moved.length > 0)
    getLogger(["adaptive", "worker"]).warning("Training jobs whose worker is gone were taken over: {jobs}", {
      jobs: moved.join(", "),
    });
}
