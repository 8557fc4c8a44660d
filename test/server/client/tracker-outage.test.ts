import { expect, test } from "vitest";
import { createClient } from "../../../server/client/client.ts";
import { createTestDatabase } from "../../support/database.ts";
import { type Product, startProduct } from "../../support/product.ts";
import { waitUntil } from "../../support/wait-until.ts";

test("a server that is killed between batches and comes back has every event exactly once", async () => {
  const database = await createTestDatabase();
  const start = (PORT: string) => startProduct({ DATABASE_URL: database.url, PORT });
  let product: Product = await start("0");
  const client = createClient({ url: product.url, tracking: { batchSize: 25, interval: 5 } });
  let number = 0;
  const track = (count: number) => {
    for (let left = count; left > 0; left -= 1)
      client.track({ user_id: `user-${number++}`, feature_key: "checkout", event_type: "view" });
  };
  try {
    for (let round = 0; round < 2; round++) {
      // Killed while batches are on their way: some are stored without an answer.
      track(400);
      await waitUntil(() => client.tracked.stored >= number - 300);
      await product.kill();
      track(200);
      product = await start(new URL(product.url).port);
      await waitUntil(() => client.tracked.stored === number);
    }
    await client.close();
    expect(client.tracked).toEqual({ waiting: 0, stored: 1200, lost: 0 });
    const [row] = await database.sql`
      select count(*)::int as events, count(distinct event_id)::int as ids, count(distinct user_id)::int as users
      from events`;
    expect(row).toEqual({ events: 1200, ids: 1200, users: 1200 });
  } finally {
    await product.stop();
    await database.close();
  }
}, 120_000);
