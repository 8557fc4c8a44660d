import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

describe.skipIf(chromiumPath === undefined)("the experiments page", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
    for (const key of ["clear", "early", "skewed"]) await server.client.createFeature({ key, name: key });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** One that began two days ago, with so many users and positives by arm. */
  async function experiment(feature: string, arms: Readonly<Record<string, readonly [number, number]>>) {
    const asked = { name: `About ${feature}`, feature_key: feature, primary_metric_event: "buy" };
    const { body } = await server.call("POST", "/experiments", { ...asked, min_samples_per_variant: 400 });
    const { sql } = server.database;
    for (const [arm, [users, positives]] of Object.entries(arms)) {
      await sql`
        insert into experiment_exposures (experiment_id, user_id, arm, first_at)
        select ${body.id}, ${arm} || n, ${arm}, now() - interval '2 days' from generate_series(1, ${users}::int) as n`;
      const events = Array.from({ length: positives }, (_, i) => ({
        ...{ user_id: `${arm}${i + 1}`, feature_key: feature, event_type: "buy" },
        timestamp: new Date().toISOString(),
      }));
      await server.client.ingest("test", events);
    }
    return `/app/experiments/${body.id}`;
  }

  test("starts one from the form, on a page that was empty, and ends it", async () => {
    await server.client.createFeature({ key: "own", name: "Own" });
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/app/experiments?feature=own`);
    await page.getByRole("heading", { name: "No experiment on own yet" }).waitFor();
    await page.getByRole("button", { name: "New experiment" }).first().click();
    await page.getByLabel("Name").fill("Is it any good");
    await page.getByLabel("Event that counts").fill("buy");
    await page.keyboard.press("Enter");
    const card = page.getByRole("region", { name: "Is it any good" });
    await card.getByText("Not enough yet: 0 of 100 users in arm A.").waitFor();
    await card.getByRole("button", { name: "End it" }).click();
    await card.getByText("ended", { exact: true }).waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("draws what it says in the table: rates, and the lift around zero", async () => {
    const path = await experiment("clear", { A: [500, 50], B: [510, 102] });
    const { page, wrong } = await openPage(browser);
    await page.goto(server.url + path);
    await page.getByText('Arm B ("on") is better than A').waitFor();
    await page.getByRole("img", { name: /^Share of users.*A off 10 % .*; B on 20 % \(/ }).waitFor();
    const lift = page.getByRole("img", {
      name: /^Against A, in points \(95 % interval\): B on 10 % \(5\.\d % to 14\.\d %\)/,
    });
    await lift.waitFor();
    expect(await lift.locator("circle").count()).toBe(1);
    const arms = await page.getByRole("region", { name: "Arms" }).getByRole("row").allInnerTexts();
    const [, a, b] = arms.map((text) => text.replaceAll(/\s+/g, " "));
    expect(a).toBe("A off 50 % 500 50 10 % 7.7 to 12.9 0 % control");
    expect(b).toMatch(/^B on 50 % 510 102 20 % 16\.8 to 23\.7 \+10\.0 \+5\.\d to \+14\.\d 100 % better$/);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("says how long it still takes while it is early, and no verdict", async () => {
    const path = await experiment("early", { A: [100, 10], B: [96, 14] });
    const { page } = await openPage(browser);
    await page.goto(server.url + path);
    await page.getByText("Not enough yet: 96 of 400 users in arm B. About 7 more days, as users arrive now.").waitFor();
    await page.getByRole("cell", { name: "not enough yet" }).waitFor();
    await page.close();
  });

  test("shows no figures of one whose users do not fit the weights", async () => {
    const path = await experiment("skewed", { A: [900, 90], B: [500, 100] });
    const { page } = await openPage(browser);
    await page.goto(server.url + path);
    await page
      .getByRole("alert")
      .getByText("Nothing here can be trusted. The exposed users do not fit the weights")
      .waitFor();
    expect(await page.getByRole("img").count()).toBe(0);
    expect(await page.getByRole("columnheader").allInnerTexts()).toEqual(["Arm", "Weight", "Users"]);
    await page.goto(`${server.url}/app/experiments/999`);
    await page.getByRole("heading", { name: "There is no experiment 999" }).waitFor();
    await page.close();
  });
});
