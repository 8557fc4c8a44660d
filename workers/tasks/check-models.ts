import { getLogger } from "@logtape/logtape";
import type { Model } from "../../core/model/model.ts";
import type { Clock } from "../../core/ports.ts";
import type { Strategy } from "../../core/strategy.ts";
import { configurationStore } from "../../server/postgres/configuration.ts";
import { modelOrigin } from "../../server/postgres/model-origin.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import type { Metrics } from "../../server/services.ts";
import { jobSpan } from "../../server/telemetry/job-spans.ts";
import { recordingSpan, tracing } from "../../server/telemetry/tracing.ts";
import { type Checked, checkModel } from "../checks/check-model.ts";

export interface CheckModelsPorts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** Told of every check. Default: nobody. */
  readonly metrics?: Pick<Metrics, "count"> | undefined;
}

export interface CheckModelsOptions {
  /** Only this one. Default: all that decide. */
  readonly only?:
    | { readonly environment: string; readonly version: string; readonly traceparent?: string | null }
    | undefined;
  /** Ends it between two models: the next run looks at all again. */
  readonly signal?: AbortSignal;
}

/**
 * Looks at every model that decides, in all environments, one after the other; run hourly by one of the workers. A model that
 * cannot be looked at does not keep the others from it.
 *
 * @throws when some could not be looked at: the queue tries again
 */
export async function checkModels(ports: CheckModelsPorts, { only, signal }: CheckModelsOptions = {}): Promise<void> {
  const store = configurationStore(ports.sql);
  const failed: string[] = [];
  for (const { key } of await store.environments()) {
    if (only !== undefined && key !== only.environment) continue;
    const configuration = await store.load(key);
    // Challengers first: one that goes live retires the live one, which is then not worth a look.
    const models = [...configuration.models].sort((a, b) => a.traffic - b.traffic);
    for (const model of models) {
      if (signal?.aborted) return;
      if (only !== undefined && model.version !== only.version) continue;
      const attributes = { "feature_flag.set.id": key, "adaptive.model.version": model.version };
      try {
        const related = tracing.enabled ? await modelOrigin(ports.sql, key, model.version) : null;
        await jobSpan("check-model", { traceparent: only?.traceparent ?? null, related, attributes }, async () => {
          const checked = await checkModel(
            ports.sql,
            { configuration, strategies: ports.strategies },
            model,
            ports.clock.now(),
          );
          tell(ports, model, checked);
        });
      } catch (error) {
        failed.push(`${key}/${model.version}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  if (failed.length > 0) throw new Error(`Cannot check ${failed.length} of the models: ${failed.join("; ")}`);
}

function tell({ metrics }: CheckModelsPorts, model: Model, { health, findings, move, psi_max }: Checked): void {
  recordingSpan()?.setAttributes({
    "adaptive.model.health": health,
    "adaptive.model.psi_max": psi_max,
    ...(move === undefined ? {} : { "adaptive.model.move": move.kind, "adaptive.model.move.reason": move.reason }),
  });
  const log = getLogger(["adaptive", "worker"]);
  const about = { model: model.version, environment: model.environment };
  if (findings.length > 0 && health !== model.health)
    log.warning("Model {model} of {environment} is {health}: {why}", { ...about, health, why: findings[0]?.sentence });
  if (move !== undefined) log.info("Model {model} of {environment}: {why}", { ...about, why: move.reason });
  metrics?.count("model_checks_total", { health });
  if (move !== undefined) metrics?.count("model_moves_total", { kind: move.kind });
}
