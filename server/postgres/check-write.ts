import type { WriteCheck } from "../../core/ports.ts";
import { selectFeatures } from "./feature-rows.ts";
import { selectSegments } from "./segment-rows.ts";
import type { Transaction } from "./sql.ts";

/**
 * Runs a writer's check on the environment as the transaction has left it; what it throws undoes the write. It reads
 * every feature and segment: leave `check` out where nothing can become unsound.
 */
export async function checkWrite(tx: Transaction, environment: string, check: WriteCheck | undefined): Promise<void> {
  if (check === undefined) return;
  const [features, segments] = await Promise.all([selectFeatures(tx, environment), selectSegments(tx, environment)]);
  check({ features, segments });
}
