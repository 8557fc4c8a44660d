import { getLogger } from "@logtape/logtape";
import packageJson from "../package.json" with { type: "json" };
import type { Config } from "./config.ts";
import { type Assembly, assemble } from "./container.ts";
import { createApp } from "./http/app.ts";
import { listen } from "./http/listen.ts";
import { openDatabase } from "./postgres/embedded.ts";
import { migrate } from "./postgres/migrate.ts";
import { ensurePartitions } from "./postgres/partitions.ts";
import { configureLogging } from "./telemetry/configure-logging.ts";
import { listenMetrics } from "./telemetry/listen-metrics.ts";
import { startTelemetry } from "./telemetry/start-telemetry.ts";

/** What every process of the product starts with: a migrated database, services and telemetry. */
export interface Base {
  readonly databaseUrl: string;
  readonly assembly: Assembly;
  /** Writes what is buffered, closes connections, and stops the embedded database when this process owns it. */
  close(): Promise<void>;
}

/** Opens the database (embedded unless DATABASE_URL is set), migrates it and builds the services. */
export async function startBase(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Base> {
  configureLogging(config.LOG_LEVEL);
  const telemetry = await startTelemetry({ environment, serviceVersion: packageJson.version });
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR });
  const closeBoth = async () => {
    await telemetry.shutdown();
    await database.stop();
  };
  try {
    await migrate(database.url);
    const assembly = await assemble(config, database.url);
    await ensurePartitions(assembly.sql, assembly.services.clock.now());
    const scraped = await startMetrics(config, assembly).catch(async (error: unknown) => {
      await assembly.close();
      throw error;
    });
    return {
      databaseUrl: database.url,
      assembly,
      async close() {
        await scraped?.close();
        await assembly.close();
        await closeBoth();
      },
    };
  } catch (error) {
    await closeBoth();
    throw error;
  }
}

async function startMetrics({ HOST: host, METRICS_PORT: port }: Config, { services }: Assembly) {
  if (port === undefined) return undefined;
  const listening = await listenMetrics(services.metrics, { host, port });
  getLogger(["adaptive", "telemetry"]).info("Metrics are at {url}", { url: listening.url });
  return listening;
}

/** Serves HTTP on what `startBase` opened. Closing drains requests first. */
export async function startHttp(config: Config, { assembly }: Base): Promise<{ url: string; close(): Promise<void> }> {
  return listen(createApp(assembly.services), { host: config.HOST, port: config.PORT });
}
