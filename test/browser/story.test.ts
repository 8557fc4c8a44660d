import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorker, type Worker } from "../../workers/runner.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

describe.skipIf(chromiumPath === undefined)(
  "the dashboard, from an empty server to a model that is switched off",
  () => {
    let server: TestServer;
    let worker: Worker;
    let browser: Browser;
    beforeAll(async () => {
      server = await startTestServer();
      const { sql, services, database } = server;
      const { clock, config } = services;
      const training = trainingPorts({ databaseUrl: database.url, sql, clock, settings: config });
      worker = await startWorker({ databaseUrl: database.url, sql, clock, training });
      browser = await openBrowser();
    });
    afterAll(async () => {
      await browser?.close();
      await worker?.stop();
      await server?.close();
    });

    test("the first visit leads to a first decision by one click", async () => {
      const { page, wrong } = await openPage(browser);
      await page.goto(server.url);
      await page.getByText("Nothing is released yet").waitFor();
      await page.getByRole("button", { name: "Load the example" }).click();
      await page.getByText(/because the model scored/).waitFor({ timeout: 60_000 });
      expect(new URL(page.url()).pathname).toBe("/app/explain");
      expect(wrong).toEqual([]);
      await page.close();
    }, 90_000);

    test("a feature is created, rolled out to 10 %, watched, explained, restored and killed", async () => {
      const { page, wrong } = await openPage(browser);
      await page.goto(server.url);
      await page.getByRole("button", { name: "New feature" }).click();
      const create = page.getByRole("dialog", { name: "New feature" });
      await create.getByLabel("Name").fill("New checkout");
      await create.getByRole("button", { name: "10 %", exact: true }).click();
      await create.getByRole("button", { name: "Create" }).click();
      await page.getByRole("heading", { name: "New checkout", level: 1 }).waitFor();
      expect(new URL(page.url()).pathname).toBe("/app/features/new-checkout");
      expect((await server.client.getFeature("new-checkout")).rollout_percentage).toBe(10);

      // Traffic, seen live as it comes.
      await page.getByRole("link", { name: "Watch live" }).click();
      await page.getByText("Waiting for decisions").waitFor();
      const users = Array.from({ length: 300 }, (_, i) => ({ user_id: `user-${i}`, plan: i % 2 ? "pro" : "free" }));
      const served = await server.client.evaluateUsers("new-checkout", users);
      await page.getByRole("link", { name: "Why user-299 got" }).waitFor();
      const someone = served.find(({ enabled }) => enabled)?.user_id ?? "";

      // One of those who got it, step by step.
      await page.getByRole("link", { name: "Explain", exact: true }).first().click();
      await page.getByLabel("Feature", { exact: true }).fill("new-checkout");
      await page.getByLabel("User id").fill(someone);
      await page.getByRole("button", { name: "Explain" }).click();
      await page.getByText("because the rollout’s hash put this user into bucket").waitFor();
      expect(await page.getByRole("img", { name: "this user is in bucket" }).count()).toBe(1);
      expect(page.url()).toContain(`user=${someone}`);
      // Looking counted and stored nothing.
      await server.services.observer.flush();
      const { body } = await server.call("GET", "/decisions?feature_key=new-checkout&limit=500");
      expect(body.decisions).toHaveLength(300);

      // More of them: first what that would change, then for real.
      await page.goto(`${server.url}/app/features/new-checkout`);
      await page.getByRole("button", { name: "50 %" }).click();
      await page.getByRole("button", { name: "Review and save" }).click();
      const save = page.getByRole("dialog", { name: "Save the change?" });
      await save.getByText("Of the last 300 decisions").waitFor();
      expect(await save.getByText("off → on").count()).toBe(1);
      await save.getByLabel("Reason").fill("It works");
      await save.getByRole("button", { name: "Save" }).click();
      await page.getByText("“It works”").waitFor();
      expect(await server.client.getFeature("new-checkout")).toMatchObject({ rollout_percentage: 50, version: 2 });

      await page.getByRole("button", { name: "Restore" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await page.getByText("“Restore version 1”").waitFor();
      expect(await server.client.getFeature("new-checkout")).toMatchObject({ rollout_percentage: 10, version: 3 });

      // The kill switch asks why.
      await page.getByRole("button", { name: "Switch off" }).click();
      const off = page.getByRole("dialog", { name: "Switch off New checkout?" });
      await off.getByRole("button", { name: "Switch off" }).click();
      expect(await off.isVisible()).toBe(true);
      await off.getByLabel("Reason").fill("Payments fail");
      await off.getByRole("button", { name: "Switch off" }).click();
      await page.getByText("“Payments fail”").waitFor();
      expect(await server.client.evaluate("new-checkout", { user_id: someone })).toMatchObject({
        enabled: false,
        decision_source: "feature_disabled",
      });
      expect(wrong).toEqual([]);
      await page.close();
    }, 90_000);

    test("a model is trained, seen to decide, and judged in words", async () => {
      await server.client.createFeature({
        key: "suggestions",
        name: "Suggestions",
        ml_enabled: true,
        ml_threshold_value: 0.5,
      });
      const start = Date.now() - 20 * 86_400_000;
      const events = Array.from({ length: 400 }, (_, i) => {
        const plan = i % 2 ? "pro" : "free";
        const event = (event_type: string, at: number, properties: Record<string, string | number>) => ({
          ...{ user_id: `m-${i}`, feature_key: "suggestions", event_type, properties },
          timestamp: new Date(at).toISOString(),
        });
        const at = start + i * 3_600_000;
        const used = i % 7 < (plan === "pro" ? 5 : 1);
        return [event("view", at, { plan, visits: i % 10 }), ...(used ? [event("used_feature", at + 60_000, {})] : [])];
      }).flat();
      await server.client.ingest("test", events);

      const { page, wrong } = await openPage(browser);
      await page.goto(`${server.url}/app/models?feature=suggestions`);
      await page.getByText("No model was trained yet").waitFor();
      await page.getByRole("button", { name: "Train now" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Train", exact: true }).click();
      await page
        .getByRole("region", { name: "Model suggestions@1" })
        .getByText("Verdict of the gate.")
        .waitFor({ timeout: 60_000 });
      expect(await page.getByText(/its log loss is .* against .* for the base rate/).count()).toBeGreaterThan(0);

      const attributes = encodeURIComponent(JSON.stringify({ plan: "pro", visits: 9 }));
      await page.goto(`${server.url}/app/explain?feature=suggestions&user=ada&attributes=${attributes}`);
      await page.getByText(/because the model scored 0\.\d\d, at or above its threshold of 0\.50/).waitFor();
      await page.getByRole("cell", { name: "plan" }).waitFor();
      await page.getByRole("heading", { name: "What would change it" }).waitFor();
      await page.getByText("A step above decided. It would have served").waitFor();
      await page.locator("svg[role=img] rect").first().waitFor({ state: "attached" });
      expect(wrong).toEqual([]);
      await page.close();
    }, 90_000);
  },
);
