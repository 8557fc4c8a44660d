import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorker } from "../../workers/runner.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { axeFindings, chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

describe.skipIf(chromiumPath === undefined)("the system page", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    const settings = { PLUGINS: "./test/support/unsound-strategy.ts" };
    [server, browser] = await Promise.all([startTestServer({ settings }), openBrowser()]);
    const steps = [
      { id: "unsound", strategy: "unsound", config: { does: "throw" } },
      { id: "rollout", strategy: "hash-bucketing", config: { arms: [{ variant: "on", weight: 100 }] } },
    ];
    await server.call("POST", "/features", { key: "shaky", name: "Shaky", steps });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test("tells a worker that comes, a breaker that opens, and a database that goes", async () => {
    const { page, wrong } = await openPage(browser);
    const health = page.getByRole("status").filter({ hasText: /Everything|Look|Degraded/ });
    await page.goto(`${server.url}/app/system`);
    await health.getByText("No worker runs, so nothing is trained.").waitFor();
    await page.getByText("npm run work").waitFor();

    const { sql, services, database } = server;
    const { clock, config } = services;
    const training = trainingPorts({ databaseUrl: database.url, sql, clock, settings: config });
    const worker = await startWorker({ databaseUrl: database.url, sql, clock, training });
    await health.getByText("Everything works.").waitFor();
    await worker.stop();

    const step = page.getByRole("row", { name: "shaky unsound" });
    await step.getByText("works").waitFor();
    for (let i = 0; i < 5; i++) await server.client.evaluate("shaky", { user_id: `user-${i}` });
    await step.getByText("is given a rest 5 failures in a row").waitFor();
    await health.getByText("1 step cannot be asked.").waitFor();

    await server.sql.end({ timeout: 0 });
    await health.getByText("Degraded.").waitFor();
    await health.getByText("The database cannot be reached: what was last configured goes on being served").waitFor();
    expect(await page.getByText("cannot be reached", { exact: true }).count()).toBe(1);
    expect(await axeFindings(page)).toEqual([]);
    // What needs it says so itself, and still nothing breaks.
    await page.getByRole("link", { name: "Users" }).click();
    await page.getByRole("alert").getByText("PostgreSQL cannot be reached right now").first().waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });
});
