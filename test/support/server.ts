import { builtIn } from "../../plugins/load.ts";
import { type Client, createClient } from "../../server/client/client.ts";
import { readConfig } from "../../server/config.ts";
import { createApp } from "../../server/http/app.ts";
import { listen } from "../../server/http/listen.ts";
import { createObserver } from "../../server/observer.ts";
import { configurationStore } from "../../server/postgres/configuration.ts";
import { eventStore } from "../../server/postgres/events.ts";
import { experimentStore } from "../../server/postgres/experiments.ts";
import { exposureStore } from "../../server/postgres/exposures.ts";
import { featureStore } from "../../server/postgres/features.ts";
import { modelStore } from "../../server/postgres/models.ts";
import { profileStore } from "../../server/postgres/profiles.ts";
import { segmentStore } from "../../server/postgres/segments.ts";
import { trainingJobStore } from "../../server/postgres/training-jobs.ts";
import { profileCache } from "../../server/profile-cache.ts";
import type { Services } from "../../server/services.ts";
import { openSnapshots } from "../../server/snapshots.ts";
import { createMetrics } from "../../server/telemetry/metrics.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export interface TestServerOptions {
  /** As in the process environment. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Replaces services, say the clock. */
  readonly override?: (services: Services) => Services;
}

export interface TestServer {
  readonly url: string;
  readonly services: Services;
  readonly client: Client;
  readonly database: TestDatabase;
  /** fetch of a path; a body that is no string is sent as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Called>;
  close(): Promise<void>;
}

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON answer, else the text; undefined without a body. */
  readonly body: ReturnType<typeof JSON.parse>;
}

/** A real server on a database of its own and a free port. */
export async function startTestServer({
  settings = {},
  override = (services) => services,
}: TestServerOptions = {}): Promise<TestServer> {
  const database = await createTestDatabase();
  const { sql } = database;
  const clock = { now: () => Date.now() };
  const metrics = createMetrics();
  const configuration = configurationStore(sql);
  const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));
  const stored = profileStore(sql);
  const profiles = profileCache(stored, clock);
  const services = override({
    config: readConfig(settings),
    clock,
    metrics,
    strategies,
    configuration,
    snapshots: await openSnapshots({ configuration, strategies, clock }),
    observer: createObserver({ exposures: exposureStore(sql), metrics }),
    profiles,
    profileStore: stored,
    features: featureStore(sql),
    segments: segmentStore(sql),
    events: eventStore(sql, { onStored: profiles.forget }),
    models: modelStore(sql),
    jobs: trainingJobStore(sql),
    experiments: experimentStore(sql),
  });
  const listening = await listen(createApp(services), { host: "127.0.0.1", port: 0 });
  return {
    url: listening.url,
    services,
    database,
    client: createClient({ url: listening.url }),
    call: (method, path, body, headers) => call(listening.url, method, path, body, headers),
    async close() {
      await listening.close();
      await services.observer.close();
      await services.snapshots.close();
      await database.close();
    },
  };
}

async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Called> {
  const response = await fetch(url + path, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.includes("json") && text !== "";
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}
