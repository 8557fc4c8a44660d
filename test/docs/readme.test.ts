import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Product, startProduct } from "../support/product.ts";

let database: TestDatabase;
let product: Product;

beforeAll(async () => {
  database = await createTestDatabase();
  product = await startProduct({ DATABASE_URL: database.url });
});
afterAll(async () => {
  await product.stop();
  await database.close();
});

test("the first success of the README is one, read aloud to a shell", async () => {
  const readme = readFileSync("README.md", "utf8");
  const [, story = ""] = /## A first success in a minute[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme) ?? [];
  // A line between the answers, which are one JSON document each.
  const script = story.replaceAll("localhost:8000", new URL(product.url).host).replaceAll(/^#/gm, "echo\n#");
  const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script]);
  const answers = stdout.split("\n").filter((line) => line !== "");
  const [feature, before, stored, trained, decided, unknown] = answers.map((line) => JSON.parse(line));
  expect(answers).toHaveLength(6);
  expect(feature).toMatchObject({ key: "new-checkout", ml_enabled: true });
  expect(before).toMatchObject({ decision_source: "rollout", fallback: { from: "model", cause: "no_model" } });
  expect(stored).toMatchObject({ saved_events: 572, rejected: 0 });
  expect(trained).toMatchObject({ status: "ready" });
  expect(decided).toMatchObject({ decision_source: "ml", enabled: true, fallback: null });
  expect(unknown).toMatchObject({ fallback: { from: "model", cause: "missing_features" } });
  expect(unknown.trace.steps[0]).toMatchObject({ id: "model", outcome: "failed" });
});
