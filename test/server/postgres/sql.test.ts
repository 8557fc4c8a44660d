import { once } from "node:events";
import net from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSql } from "../../../server/postgres/sql.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test("openSql() reads bigint as number", async () => {
  const [row] = await database.sql`select count(*) as n, 9007199254740991::bigint as largest from environments`;
  expect(row).toEqual({ n: 1, largest: 9007199254740991 });
});

// A rejection that nobody handles would end a real process; vitest fails the run on it.
test("openSql() rejects the query, and nothing else, when a connection is lost as soon as it is made", async () => {
  const relay = await startRelay(database.url, { cuts: 3 });
  const sql = openSql(relay.url, { max: 1 });
  for (let cut = 0; cut < 3; cut += 1)
    await expect(sql`select 1 as one`.then(([row]) => row)).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
  await sql.end();
  relay.close();
});

/** Between a client and PostgreSQL: resets so many connections at the first message after they are ready for queries. */
async function startRelay(url: string, { cuts }: { cuts: number }): Promise<{ url: string; close(): void }> {
  const target = new URL(url);
  const ready = Buffer.from("Z\0\0\0\x05I", "latin1");
  let left = cuts;
  const relay = net.createServer((client) => {
    const server = net.connect(Number(target.port), target.hostname);
    let isReady = false;
    for (const socket of [client, server]) socket.on("error", () => {}).on("close", () => server.destroy());
    server.on("data", (chunk) => {
      isReady ||= chunk.includes(ready);
      client.write(chunk);
    });
    client.on("data", (chunk) => {
      if (isReady && left > 0) {
        left -= 1;
        client.resetAndDestroy();
      } else server.write(chunk);
    });
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const relayed = new URL(url);
  relayed.port = String((relay.address() as net.AddressInfo).port);
  return { url: relayed.href, close: () => relay.close() };
}
