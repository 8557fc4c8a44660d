import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

describe.skipIf(chromiumPath === undefined)("a thousand features", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
    await server.client.createFeature({ key: "number-0000", name: "Number 0000", rollout_percentage: 10 });
    await server.database.sql`
      insert into features (environment, key, definition)
      select environment, 'number-' || lpad(n::text, 4, '0'),
        replace(replace(definition::text, 'number-0000', 'number-' || lpad(n::text, 4, '0')),
          'Number 0000', 'Number ' || lpad(n::text, 4, '0'))::json
      from features, generate_series(1, 999) n`;
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test("are searched, sorted and paged by drawing no more than is looked at", async () => {
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/?sort=name`);
    await page.getByText("1,000 features").waitFor();
    const rows = page.getByRole("row");
    expect(await rows.count()).toBe(1 + 100);
    expect(await page.evaluate("document.querySelectorAll('*').length")).toBeLessThan(4_000);

    // Eight of the nine keystrokes change nothing that is seen, the last one brings a hundred other rows.
    await page.evaluate(`globalThis.drawn = 0; new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const { tagName } of addedNodes) if (tagName === "TR") globalThis.drawn += 1;
    }).observe(document.body, { subtree: true, childList: true })`);
    await page.getByRole("searchbox", { name: "Search features" }).pressSequentially("number 09");
    await page.getByText("100 features of 1,000").waitFor();
    expect(await page.evaluate("globalThis.drawn")).toBeLessThanOrEqual(100);
    expect(await rows.nth(1).getByRole("link").textContent()).toBe("Number 0900");

    await page.getByRole("searchbox", { name: "Search features" }).fill("");
    await page.getByRole("button", { name: "Show 100 more" }).click();
    await page.getByRole("link", { name: "Number 0199" }).waitFor();
    expect(await rows.count()).toBe(1 + 200);
    // The address says all of it.
    await page.reload();
    await page.getByRole("link", { name: "Number 0199" }).waitFor();
    expect(new URL(page.url()).search).toBe("?sort=name&rows=200");
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("that nobody asked for are found by the days since", async () => {
    await server.database.sql`
      update features set created_at = now() - interval '45 days' where key between 'number-0100' and 'number-0102'`;
    const { page } = await openPage(browser);
    await page.goto(server.url);
    await page.getByLabel("Show").selectOption("Not asked for 30 days");
    await page.getByText("3 features of 1,000").waitFor();
    expect(await page.getByText("Not asked for 45 days").count()).toBe(3);
    await page.getByLabel("Show").selectOption("Not asked for 90 days");
    await page.getByText("No feature matches").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByText("1,000 features").waitFor();
    await page.close();
  });
});
