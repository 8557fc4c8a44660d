import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWorker, type Worker } from "../../workers/runner.ts";
import { trainingPorts } from "../../workers/training-ports.ts";
import { axeFindings, chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait-until.ts";

describe.skipIf(chromiumPath === undefined)("the models' page", () => {
  let server: TestServer;
  let worker: Worker;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
    const { sql, services, database } = server;
    const { clock, config } = services;
    const training = trainingPorts({ databaseUrl: database.url, sql, clock, settings: config });
    worker = await startWorker({ databaseUrl: database.url, sql, clock, training });
    await server.client.createFeature({ key: "tips", name: "Tips", ml_enabled: true, ml_threshold_value: 0.5 });
    await server.client.ingest("test", moments());
    for (const learner of ["logistic", "trees"]) await server.call("POST", "/train", { feature_key: "tips", learner });
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.stop();
    await server?.close();
  });

  test("shows how a model's probabilities came true and how users score, as charts and as tables", async () => {
    for (const [scheme, width] of [
      ["light", 1280],
      ["dark", 375],
    ] as const) {
      const { page, wrong } = await openPage(browser, { scheme, width });
      await page.goto(`${server.url}/app/models?feature=tips`);
      await page.getByRole("img", { name: /^Stated and observed: / }).waitFor();
      await page.getByRole("img", { name: /^Scores of the held-out rows: 10 % are below/ }).waitFor();
      await page.getByText("reach the threshold of its step, 50 %").waitFor();

      await page.getByText("Stated and observed, as a table").click();
      const curve = page.getByRole("region", { name: "Stated and observed" });
      const [model] = (await server.call("GET", "/model/runs?feature_key=tips")).body.runs;
      expect(await curve.getByRole("row").count()).toBe(1 + model.metrics.calibration_curve.length);
      await page.getByText("Scores, as a table").focus();
      await page.keyboard.press("Enter");
      await page.getByRole("region", { name: "Scores" }).getByRole("cell", { name: "50 %", exact: true }).waitFor();

      expect([scheme, await axeFindings(page)]).toEqual([scheme, []]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      expect(wrong).toEqual([]);
      await page.close();
    }
  });

  test("shows what deciding by model adds against the holdout, as a chart and as a table", async () => {
    const objective = { event_types: ["purchase"], window_seconds: 1, holdout: 0.5 };
    await server.client.createFeature({ key: "offers", name: "Offers", ml_enabled: true, objective });
    const users = Array.from({ length: 400 }, (_, i) => ({ user_id: `user-${i}` }));
    await server.call("POST", "/evaluate/batch", { feature_key: "offers", users });
    await server.services.observer.flush();
    const lift = async () => (await server.call("GET", "/features/offers/lift")).body;
    await waitUntil(async () => (await lift()).interval !== null);
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/app/models?feature=offers`);
    const card = page.getByRole("region", { name: "The difference" });
    await page.getByRole("img", { name: /^Model less holdout: lift 0 % / }).waitFor();
    await page.getByText("The difference, as a table").click();
    const cells = await card.getByRole("cell").allTextContents();
    expect(cells).toHaveLength(4);
    expect(cells.slice(0, 2)).toEqual(["Difference", "0\u00a0%"]);
    expect(await axeFindings(page)).toEqual([]);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("names the model that is about to go live in its address, and asks nothing of one that cannot", async () => {
    const { page, wrong } = await openPage(browser);
    const { runs } = (await server.call("GET", "/model/runs?feature_key=tips")).body;
    const idle = runs.find(({ status }: { status: string }) => status !== "live");
    const live = runs.find(({ status }: { status: string }) => status === "live");
    const way = idle.status === "retired" ? "rollback" : "promote";
    await page.goto(`${server.url}/app/models?feature=tips&open=${way}`);
    await page.getByRole("region", { name: `Model ${live.model_version}` }).waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.goto(`${server.url}/app/models?feature=tips&version=${live.model_version}&open=${way}`);
    await page.getByRole("region", { name: `Model ${live.model_version}` }).waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);

    await page.goto(`${server.url}/app/models?feature=tips&version=${idle.model_version}`);
    await page.getByRole("button", { name: way === "promote" ? "Promote" : "Make live again" }).click();
    const dialog = page.getByRole("dialog", { name: idle.model_version });
    await dialog.waitFor();
    await page.reload();
    await dialog.waitFor();
    expect(new URL(page.url()).searchParams.get("version")).toBe(idle.model_version);
    await page.goBack();
    await dialog.waitFor({ state: "detached" });
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("compares all trainings by what they learned from, and makes an earlier one live again with a reason", async () => {
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/app/models?feature=tips&version=tips@1`);
    const trainings = page.getByRole("region", { name: "Trainings", exact: true });
    await trainings.getByRole("link", { name: "tips@2" }).waitFor();
    const { dataset_profile } = (await server.call("GET", "/models/tips@1")).body;
    const share = `${Number((dataset_profile.positive_rate * 100).toFixed(1))} %`;
    const row = trainings.getByRole("row", { name: /tips@1/ });
    await row.getByRole("cell", { name: String(dataset_profile.rows), exact: true }).waitFor();
    await row.getByRole("cell", { name: share, exact: true }).waitFor();
    await page.getByRole("heading", { name: "Training runs" }).waitFor();
    expect(await page.getByText("asked for,").count()).toBe(2);

    const before = (await server.call("GET", "/models/tips@1")).body.status;
    await page.getByRole("button", { name: before === "retired" ? "Make live again" : "Promote" }).click();
    const dialog = page.getByRole("dialog");
    if (before !== "retired") await dialog.getByRole("button", { name: "Promote anyway" }).click();
    await dialog.getByLabel(/^Reason/).fill("The newer one is too slow");
    await dialog.getByRole("button", { name: /^(Make live again|Promote against)/ }).click();
    await page.getByText("tips@1 is live").waitFor();
    expect((await server.call("GET", "/models/tips@1")).body).toMatchObject({ status: "live" });

    await trainings.getByRole("link", { name: "tips@2" }).click();
    await page.getByRole("region", { name: "Model tips@2" }).waitFor();
    expect(page.url()).toContain("version=tips%402");
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("says that a version is not there, and why a training failed", async () => {
    await server.client.createFeature({ key: "lonely", name: "Lonely", ml_enabled: true });
    const failed = await server.call("POST", "/train", { feature_key: "lonely", positive_event_types: ["never_sent"] });
    expect(failed.status).toBe(422);
    const { page } = await openPage(browser);
    await page.goto(`${server.url}/app/models?feature=tips&version=tips@77`);
    await page.getByText("There is no version tips@77 here").waitFor();
    await page.getByLabel("Feature", { exact: true }).selectOption("lonely");
    await page.getByText("No model was trained yet").waitFor();
    await page.getByRole("region", { name: "Trainings under way" }).getByText(failed.body.detail.message).waitFor();
    await page.close();
  });
});

/** Pro users reach it more often than others. */
function moments() {
  const start = Date.now() - 20 * 86_400_000;
  return Array.from({ length: 400 }, (_, i) => {
    const plan = i % 2 ? "pro" : "free";
    const event = (event_type: string, at: number, properties: Record<string, string | number>) => ({
      ...{ user_id: `m-${i}`, feature_key: "tips", event_type, properties },
      timestamp: new Date(at).toISOString(),
    });
    const at = start + i * 3_600_000;
    const used = i % 7 < (plan === "pro" ? 5 : 1);
    return [event("view", at, { plan, visits: i % 10 }), ...(used ? [event("used_feature", at + 60_000, {})] : [])];
  }).flat();
}
