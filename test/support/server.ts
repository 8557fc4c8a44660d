import { type Client, createClient } from "../../server/client/client.ts";
import { readConfig } from "../../server/config.ts";
import { assemble } from "../../server/container.ts";
import { createApp } from "../../server/http/app.ts";
import { listen } from "../../server/http/listen.ts";
import type { Sql } from "../../server/postgres/sql.ts";
import type { Services } from "../../server/services.ts";
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
  /** The server's own connections; `database.sql` are the test's. */
  readonly sql: Sql;
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
  const assembly = await assemble(readConfig(settings), database.url);
  const services = override(assembly.services);
  const listening = await listen(createApp(services), { host: "127.0.0.1", port: 0 });
  return {
    url: listening.url,
    services,
    sql: assembly.sql,
    database,
    client: createClient({ url: listening.url }),
    call: (method, path, body, headers) => call(listening.url, method, path, body, headers),
    async close() {
      await listening.close();
      await assembly.close();
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
