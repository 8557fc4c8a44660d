import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeFindings, chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer } from "../support/server.ts";

describe.skipIf(chromiumPath === undefined)("a server that ends while its pages are open", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser?.close());

  test("is told on each of them; what was read stays, and nothing is said to be saved", async () => {
    const server = await startTestServer();
    await server.client.createFeature({ key: "kept", name: "Kept", rollout_percentage: 30 });
    const [list, feature, models] = await Promise.all(Array.from({ length: 3 }, () => openPage(browser)));
    await Promise.all([
      list?.page.goto(server.url),
      feature?.page.goto(`${server.url}/app/features/kept`),
      models?.page.goto(`${server.url}/app/models`),
    ]);
    await list?.page.getByRole("link", { name: "Kept" }).waitFor();
    await feature?.page.getByRole("heading", { name: "Kept", level: 1 }).waitFor();
    await models?.page.getByText("No model was trained yet").waitFor();
    await server.close();

    for (const visit of [list, feature, models]) {
      await visit?.page.getByRole("status").getByText("The server cannot be reached").waitFor();
      expect(await axeFindings(visit?.page as NonNullable<typeof visit>["page"])).toEqual([]);
    }
    expect(await list?.page.getByRole("link", { name: "Kept" }).count()).toBe(1);
    expect(await models?.page.getByText("No model was trained yet").count()).toBe(1);
    const page = feature?.page as NonNullable<typeof feature>["page"];
    await page.getByRole("button", { name: "50 %" }).click();
    await page.getByRole("button", { name: "Review and save" }).click();
    const dialog = page.getByRole("dialog", { name: "Save the change?" });
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("alert").getByText("The server cannot be reached").first().waitFor();
    expect(await dialog.isVisible()).toBe(true);
    for (const visit of [list, feature, models]) {
      expect(visit?.wrong).toEqual([]);
      await visit?.page.close();
    }
  });
});
