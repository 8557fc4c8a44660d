import { getLogger } from "@logtape/logtape";
import type { Model, ModelHealth } from "../../core/model/model.ts";
import type { Clock } from "../../core/ports.ts";
import type { Strategy } from "../../core/strategy.ts";
import { configurationStore } from "../../server/postgres/configuration.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import type { Metrics } from "../../server/services.ts";
import { jobSpan } from "../../server/telemetry/job-spans.ts";
import { type Checked, checkModel } from "../checks/check-model.ts";

export interface CheckModelsPorts {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** Told of every check. Default: nobody. */
  readonly metrics?: Pick<Metrics, "count" | "gauge"> | undefined;
}

export interface CheckModelsOptions {
  /** Only this one. Default: all that decide. */
  readonly only?: { readonly environment: string; readonly version: string } | undefined;
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
      const attributes = { "adaptive.environment": key, "adaptive.model.version": model.version };
      try {
        await jobSpan("check-model", { traceparent: null, attributes }, async () => {
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

const LEVELS: Readonly<Record<ModelHealth, number>> = { fresh: 0, warning: 1, stopped: 2 };

function tell({ metrics, clock }: CheckModelsPorts, model: Model, { health, findings, move, psi_max }: Checked): void {
  const log = getLogger(["adaptive", "worker"]);
  const about = { model: model.version, environment: model.environment };
  if (findings.length > 0 && health !== model.health)
    log.warning("Model {model} of {environment} is {health}: {why}", { ...about, health, why: findings[0]?.sentence });
  if (move !== undefined) log.info("Model {model} of {environment}: {why}", { ...about, why: move.reason });
  const labels = { environment: model.environment, feature_key: model.feature_key ?? "global", status: model.status };
  metrics?.count("model_checks_total", { health });
  if (move !== undefined) metrics?.count("model_moves_total", { kind: move.kind });
  metrics?.gauge("model_health", () => LEVELS[health], labels);
  metrics?.gauge("model_psi_max", () => psi_max, labels);
  metrics?.gauge("model_age_seconds", () => (clock.now() - Date.parse(model.trained_at)) / 1000, labels);
}
