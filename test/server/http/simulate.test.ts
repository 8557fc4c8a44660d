import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const HEADER = "timestamp,visitorid,event,itemid,transactionid";
const START = Date.UTC(2026, 5, 1);
const csv = (...lines: string[]) => [HEADER, ...lines].join("\n");

/** `fields` in the order given; a Blob is sent as a file. */
async function simulate(fields: [name: string, value: string | Blob][], url = server.url, headers = {}) {
  const form = new FormData();
  for (const [name, value] of fields)
    if (typeof value === "string") form.append(name, value);
    else form.append(name, value, "log.csv");
  const response = await fetch(`${url}/simulate`, { method: "POST", body: form, headers });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

/** An environment of the test's own. */
async function freshEnvironment(key: string) {
  await server.call("POST", "/environments", { key });
  return { "X-Environment": key };
}

describe("POST /simulate", () => {
  test("imports the file, creates the features, and stores nothing twice", async () => {
    const environment = await freshEnvironment("items");
    const file = new Blob([
      csv(
        `${START},u1,view,10,`,
        `${START},u1,view,10,`,
        `${START + 1},u2,addtocart,11,`,
        `${START + 2},u2,transaction,11,77`,
      ),
    ]);
    const fields: [string, string | Blob][] = [
      ["csv_file", file],
      ["feature_rollout_percentage", "25"],
      ["feature_ml_enabled", "true"],
    ];
    const first = await simulate(fields, server.url, environment);
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      source_type: "csv_file",
      source_value: "log.csv",
      feature_key_mode: "item",
      sync_features: true,
      raw_rows_processed: 4,
      normalized_rows: 4,
      inserted_rows: 4,
      features_auto_created: 2,
      rejected_rows: 0,
      rejects: [],
    });
    const feature = await server.call("GET", "/features/item_11", undefined, environment);
    expect(feature.body).toMatchObject({ rollout_percentage: 25, ml_enabled: true });
    const events = await server.call("GET", "/events?user_id=u2", undefined, environment);
    expect(events.body[0]).toMatchObject({
      feature_key: "item_11",
      event_type: "transaction",
      properties: { itemid: "11", transactionid: "77" },
      timestamp: new Date(START + 2).toISOString(),
    });
    const second = await simulate(fields, server.url, environment);
    expect(second.body).toMatchObject({ normalized_rows: 4, inserted_rows: 0, features_auto_created: 0 });
  });

  test("reports rejected rows by line and stores the others", async () => {
    const environment = await freshEnvironment("rejects");
    const { status, body } = await simulate(
      [
        ["feature_key_mode", "single"],
        ["batch_size", "2"],
        [
          "csv_file",
          new Blob([
            csv(
              `soon,u1,view,1,`,
              `${START},,view,1,`,
              `${START},u1,stare,1,`,
              `${START},u1,view,a/b,`,
              `${START},u1,view`,
              `${START},u1,view,1,`,
              `${Date.now() + 1e9},u1,view,1,`,
              `${START},u1,view,2,`,
              `${START},u1,view,3,`,
            ),
          ]),
        ],
      ],
      server.url,
      environment,
    );
    expect(status).toBe(201);
    expect(body).toMatchObject({ raw_rows_processed: 9, normalized_rows: 3, inserted_rows: 3, rejected_rows: 6 });
    const named = body.rejects.map(({ line, code }: { line: number; code: string }) => [line, code]);
    expect(named.sort(([a]: [number], [b]: [number]) => a - b)).toEqual([
      [2, "invalid_timestamp"],
      [3, "empty_field"],
      [4, "unknown_event"],
      [5, "invalid_item"],
      [6, "invalid_csv"],
      [8, "future_timestamp"],
    ]);
    expect(body.features_auto_created).toBe(1);
    const features = await server.call("GET", "/features", undefined, environment);
    expect(features.body.map(({ key }: { key: string }) => key)).toEqual(["dataset_import"]);
  });

  test("stops at the limit and creates no features when told so", async () => {
    const environment = await freshEnvironment("limited");
    const rows = Array.from({ length: 50 }, (_, i) => `${START + i},u1,view,${i},`);
    const { body } = await simulate(
      [
        ["csv_file", new Blob([gzipSync(csv(...rows))])],
        ["limit", "7"],
        ["sync_features", "false"],
      ],
      server.url,
      environment,
    );
    expect(body).toMatchObject({ raw_rows_processed: 7, inserted_rows: 7, features_auto_created: 0 });
    expect((await server.call("GET", "/features", undefined, environment)).body).toEqual([]);
  });

  test.each([
    ["neither file nor address", [["limit", "5"]], 422, "one_source"],
    [
      "both",
      [
        ["csv_url", "http://127.0.0.1/"],
        ["csv_file", new Blob([csv()])],
      ],
      422,
      "one_source",
    ],
    ["a file of another name", [["upload", new Blob([csv()])]], 422, "unknown_field"],
    [
      "an unknown option",
      [
        ["csv_file", new Blob([csv()])],
        ["colour", "red"],
      ],
      422,
      "validation_error",
    ],
    [
      "a bad option",
      [
        ["csv_file", new Blob([csv()])],
        ["limit", "0"],
      ],
      422,
      "validation_error",
    ],
    ["other columns", [["csv_file", new Blob(["a,b\n1,2\n"])]], 422, "missing_columns"],
    ["an empty file", [["csv_file", new Blob([""])]], 422, "missing_columns"],
    [
      "a broken gzip",
      [["csv_file", new Blob([gzipSync(csv(`${START},u,view,1,`)).subarray(0, 30)])]],
      422,
      "unreadable_file",
    ],
    [
      "two files",
      [
        ["csv_file", new Blob([csv()])],
        ["csv_file", new Blob([csv()])],
      ],
      400,
      "malformed_form",
    ],
    ["another scheme", [["csv_url", "file:///etc/passwd"]], 422, "unreadable_url"],
  ] as [string, [string, string | Blob][], number, string][])("refuses %s", async (_, fields, status, code) => {
    const answer = await simulate(fields);
    expect([answer.status, answer.body.detail.code]).toEqual([status, code]);
  });

  test("refuses a body that is no form", async () => {
    expect((await server.call("POST", "/simulate", { csv_url: "x" })).status).toBe(400);
  });
});

describe("POST /simulate with csv_url", () => {
  const respond: RequestListener = (request, response) => {
    if (request.url === "/log.csv") response.end(csv(`${START},web,view,1,`));
    else if (request.url === "/moved") response.writeHead(302, { location: "/log.csv" }).end();
    else if (request.url === "/away") response.writeHead(302, { location: "ftp://elsewhere/log.csv" }).end();
    else if (request.url === "/round") response.writeHead(302, { location: "/round" }).end();
    else response.writeHead(404).end();
  };
  const web = createServer(respond);
  let address: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    web.close();
  });

  test("reads from this machine while the server itself is only reachable from it", async () => {
    const { status, body } = await simulate([["csv_url", `${address}/moved`]]);
    expect(status).toBe(201);
    expect(body).toMatchObject({ source_type: "csv_url", source_value: `${address}/moved`, inserted_rows: 1 });
  });

  test("takes an urlencoded form as well", async () => {
    const body = new URLSearchParams({ csv_url: `${address}/log.csv` });
    const response = await fetch(`${server.url}/simulate`, { method: "POST", body });
    expect(response.status).toBe(201);
  });

  test.each(["/away", "/round", "/nothing"])("refuses what %s leads to", async (path) => {
    const { status, body } = await simulate([["csv_url", address + path]]);
    expect([status, body.detail.code]).toEqual([422, "unreadable_url"]);
  });

  test("refuses private addresses when the server is reachable from other machines", async () => {
    const open = await startTestServer({
      override: (services) => ({ ...services, config: { ...services.config, HOST: "0.0.0.0" } }),
    });
    try {
      for (const host of [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
      ]) {
        const { status, body } = await simulate([["csv_url", `http://${host}:9/log.csv`]], open.url);
        expect([host, status, body.detail.code]).toEqual([host, 422, "unreadable_url"]);
        expect(body.detail.message).toContain("not a public address");
      }
    } finally {
      await open.close();
    }
  });
});

describe("POST /simulate with Accept: text/event-stream", () => {
  /** What the stream says, and how to leave it. */
  async function follow(fields: [name: string, value: string | Blob][], headers: Record<string, string> = {}) {
    const form = new FormData();
    for (const [name, value] of fields)
      if (typeof value === "string") form.append(name, value);
      else form.append(name, value, "log.csv");
    const response = await fetch(`${server.url}/simulate`, {
      method: "POST",
      body: form,
      headers: { Accept: "text/event-stream", ...headers },
    });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    return response.body?.pipeThrough(new TextDecoderStream()) as ReadableStream<string>;
  }

  async function all(stream: ReadableStream<string>) {
    let text = "";
    for await (const part of stream) text += part;
    return [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event, data]) => ({
      event,
      data: JSON.parse(data ?? ""),
    }));
  }

  test("tells how far it is, and at the end the answer with the lines it rejected", async () => {
    const environment = await freshEnvironment("told");
    const lines = Array.from({ length: 100 }, (_, i) => `${START + i},u${i},view,7,`);
    const file = new Blob([csv(...lines.slice(0, 49), "never,u,view,7,", ...lines.slice(49))]);
    const events = await all(
      await follow(
        [
          ["csv_file", file],
          ["batch_size", "30"],
          ["feature_key_mode", "single"],
        ],
        environment,
      ),
    );
    const progress = events.slice(0, -1);
    expect(progress.map(({ event }) => event)).toEqual(["progress", "progress", "progress"]);
    expect(progress.map(({ data }) => [data.raw_rows_processed, data.inserted_rows])).toEqual([
      [30, 30],
      [61, 60],
      [91, 90],
    ]);
    expect(progress[1]?.data).toMatchObject({ rejected_rows: 1, bytes_read: file.size, bytes_total: file.size });
    expect(events.at(-1)).toMatchObject({
      event: "done",
      data: { raw_rows_processed: 101, inserted_rows: 100, rejected_rows: 1, rejects: [{ line: 51 }] },
    });
  });

  test("ends with the error that would have been the answer", async () => {
    const events = await all(await follow([["csv_file", new Blob(["time,user\n1,2\n"])]]));
    expect(events).toMatchObject([
      { event: "failed", data: { detail: { code: "missing_columns", field: "csv_file" } } },
    ]);
    expect((await all(await follow([["limit", "many"]])))[0]).toMatchObject({
      event: "failed",
      data: { detail: { code: "validation_error", field: "limit" } },
    });
  });

  test("stops reading when the client goes away, and keeps what is stored", async () => {
    const environment = await freshEnvironment("left");
    const left = Promise.withResolvers<void>();
    const web = createServer((_, response) => {
      response.on("close", () => left.resolve());
      response.write(`${csv(...Array.from({ length: 20 }, (_, i) => `${START + i},u${i},view,7,`))}\n`);
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const stream = await follow(
      [
        ["csv_url", `http://127.0.0.1:${(web.address() as AddressInfo).port}/endless.csv`],
        ["batch_size", "10"],
      ],
      environment,
    );
    const reader = stream.getReader();
    expect((await reader.read()).value).toContain("event: progress");
    await reader.cancel();
    await left.promise;
    web.close();
    const { body } = await server.call("GET", "/events?limit=1000", undefined, environment);
    expect(body.length).toBeGreaterThanOrEqual(10);
  });
});
