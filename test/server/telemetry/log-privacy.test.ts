import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type Product, startProduct } from "../../support/product.ts";

const SECRETS = ["person-4711", "ada@example.com", "Lovelace Street", "+44 20 7946 0000"];
const [user_id, email, street, phone] = SECRETS as [string, string, string, string];

let database: TestDatabase;
let product: Product;
beforeAll(async () => {
  database = await createTestDatabase();
  product = await startProduct({ DATABASE_URL: database.url, LOG_LEVEL: "debug" });
});
afterAll(() => database.close());

function send(path: string, body: unknown): Promise<Response> {
  return fetch(`${product.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

it("logs neither who was asked about nor their attributes, whatever goes wrong", async () => {
  const user = { user_id, email, street };
  const event = { user_id, feature_key: "checkout", event_type: "view", properties: { phone }, timestamp: new Date() };
  await send("/features", { key: "checkout", name: "checkout", rollout_percentage: 50, ml_enabled: true });
  for (const [path, body] of [
    ["/evaluate", { feature_key: "checkout", user }],
    ["/evaluate", { feature_key: "nowhere", user, explain: true }],
    ["/evaluate", { feature_key: "checkout", user: { ...user, email: { address: email } } }],
    ["/evaluate", JSON.stringify({ feature_key: "checkout", user }).slice(0, -5)],
    ["/evaluate/batch", { users: [user], feature_keys: ["checkout"] }],
    ["/ofrep/v1/evaluate/flags/checkout", { context: { targetingKey: user_id, email } }],
    ["/ofrep/v1/evaluate/flags", { context: { targetingKey: user_id, email: [email] } }],
    ["/events", event],
    ["/events", { ...event, timestamp: phone }],
    ["/events", { ...event, properties: { [phone]: email } }],
    ["/ingest/events", { source: "test", events: [event, { ...event, event_type: "" }] }],
  ] as const)
    await send(path, body).then((answer) => answer.text());
  // The database refuses a value late: in the observer, when the request has its answer already.
  await database.sql`alter table exposures add constraint refuse check (user_id <> ${database.sql.unsafe(`'${user_id}-2'`)})`;
  await send("/evaluate", { feature_key: "checkout", user: { ...user, user_id: `${user_id}-2` } });
  await product.stop();

  const lines = product
    .stderr()
    .split("\n")
    .filter((line) => line !== "");
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) });
  for (const secret of SECRETS) expect(product.stderr()).not.toContain(secret);
});
