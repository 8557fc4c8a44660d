import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeFindings, chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

/** Every page, by its address and by what says that it is there. */
const PAGES = [
  ["/", "Features"],
  ["/app/features/banner", "Banner"],
  ["/app/explain?feature=banner&user=ada&attributes=%7B%22plan%22%3A%22pro%22%7D", "Why did this user get this?"],
  ["/app/live", "Live"],
  ["/app/models", "Models"],
  ["/app/experiments", "Experiments"],
  ["/app/users", "Users"],
  ["/app/users/ada", "ada"],
  ["/app/system", "System"],
  ["/app/nowhere", "There is no such page"],
] as const;

describe.skipIf(chromiumPath === undefined)("every page", () => {
  let server: TestServer;
  let empty: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, empty, browser] = await Promise.all([startTestServer(), startTestServer(), openBrowser()]);
    const pro = { attribute: "/plan", op: "in", value: ["pro", "team"] };
    await server.client.createFeature({
      ...{ key: "banner", name: "Banner", type: "string", variants: { blue: "#00f", green: "#0f0", off: "#999" } },
      off_variant: "off",
      steps: [
        {
          id: "rules",
          strategy: "rule-filters",
          config: { rules: [{ when: { all: [pro] }, variant: "blue" }] },
          on_failure: "next",
        },
        {
          ...{ id: "rollout", strategy: "hash-bucketing", on_failure: "next" },
          config: {
            arms: [
              { variant: "green", weight: 40 },
              { variant: "off", weight: 60 },
            ],
          },
        },
      ],
    });
    await server.client.createFeature({ key: "dark-mode", name: "Dark mode", rollout_percentage: 50 });
    const users = Array.from({ length: 60 }, (_, i) => ({ user_id: `user-${i}`, plan: i % 3 ? "free" : "pro" }));
    await server.client.evaluateUsers("banner", users);
    await server.client.createExperiment({ name: "Dark sells", feature_key: "dark-mode", primary_metric_event: "buy" });
    await server.client.evaluateUsers("dark-mode", users);
    await server.client.storeEvent({
      user_id: "ada",
      feature_key: "banner",
      event_type: "view",
      properties: { price: 3 },
    });
    await server.services.observer.flush();
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([server?.close(), empty?.close()]);
  });

  test.each(PAGES)("%s has nothing that axe finds, in both colours, and fits a phone", async (path, heading) => {
    for (const [scheme, width] of [
      ["light", 1280],
      ["dark", 375],
    ] as const) {
      const { page, wrong } = await openPage(browser, { scheme, width });
      await page.goto(server.url + path);
      await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
      await page.locator('[aria-busy="true"]').first().waitFor({ state: "detached" });
      expect([scheme, await axeFindings(page)]).toEqual([scheme, []]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      expect(wrong).toEqual([]);
      await page.close();
    }
  });

  test.each(PAGES.filter(([path]) => !path.includes("banner")))(
    "%s of an empty server says so, and nothing breaks",
    async (path) => {
      const { page, wrong } = await openPage(browser);
      await page.goto(empty.url + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.locator('[aria-busy="true"]').first().waitFor({ state: "detached" });
      expect(await page.getByRole("alert").count()).toBe(0);
      expect(await axeFindings(page)).toEqual([]);
      expect(wrong).toEqual([]);
      await page.close();
    },
  );

  test("what is not there is told in the server's words", async () => {
    const { page } = await openPage(browser);
    await page.goto(`${server.url}/app/features/nothing`);
    await page.getByRole("alert").getByText('There is no feature "nothing" in this environment').waitFor();
    await page.close();
  });

  test("a server that is away is told, and the page goes on by itself when it is back", async () => {
    const { page } = await openPage(browser);
    await page.route("**/features", (route) => route.abort());
    await page.goto(server.url);
    await page.getByRole("alert").getByText("The server cannot be reached").waitFor();
    await page.unroute("**/features");
    await page.getByRole("link", { name: "Banner" }).waitFor();
    expect(await page.getByText("What is shown may be old").count()).toBe(0);
    await page.close();
  });

  test("the keyboard alone searches, filters by the address, and changes a rollout", async () => {
    const { page } = await openPage(browser);
    await page.goto(server.url);
    await page.getByRole("link", { name: "Banner" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("dark");
    await page.getByText("1 feature of 2").waitFor();
    expect(page.url()).toContain("q=dark");
    await page.getByRole("link", { name: "Dark mode" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Dark mode", level: 1 }).waitFor();
    await page.getByRole("slider").focus();
    await page.keyboard.press("ArrowRight");
    await page.getByText("Changed, not saved yet").waitFor();
    await page.getByRole("button", { name: "Review and save" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    page.once("dialog", (dialog) => void dialog.accept()); // the change is not saved
    await page.goBack();
    await page.getByText("1 feature of 2").waitFor();
    await page.close();
  });
});
