import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../core/engine/evaluate.ts";
import { compile } from "../../core/engine/snapshot.ts";
import { chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { makeConfiguration, makeFeature, STRATEGIES } from "../support/make-configuration.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

describe.skipIf(chromiumPath === undefined)("the explanation", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
    const rules = [{ when: { attribute: "/plan", op: "equals", value: "pro" }, variant: "on" }];
    await server.client.createFeature({
      ...{ key: "checkout", name: "Checkout" },
      steps: [
        { id: "pro-users", strategy: "rule-filters", config: { rules } },
        { id: "rollout", strategy: "hash-bucketing", config: { arms: [{ variant: "on", weight: 100 }] } },
      ],
    });
    await server.client.createFeature({ key: "learner", name: "Learner", ml_enabled: true, rollout_percentage: 100 });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const address = (search: Record<string, string>) => `${server.url}/app/explain?${new URLSearchParams(search)}`;

  async function copied(page: Page, what: string): Promise<string> {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: what }).click();
    await page.getByText("Copied").waitFor();
    return page.evaluate("navigator.clipboard.readText()");
  }

  test("starts from the form, by keyboard alone, and says what each step would have said", async () => {
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/app/explain`);
    await page.getByRole("heading", { name: "Ask about somebody" }).waitFor();
    await page.getByLabel("Feature", { exact: true }).focus();
    await page.keyboard.type("checkout");
    await page.keyboard.press("Tab");
    await page.keyboard.type("ada");
    await page.getByLabel("Attributes").focus();
    await page.keyboard.type('{"plan": ');
    await page.getByRole("alert").waitFor();
    await page.keyboard.type('"pro"}');
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("because ").first().waitFor();
    expect(new URL(page.url()).searchParams.get("attributes")).toBe('{"plan":"pro"}');
    await page.getByRole("cell", { name: "yes" }).waitFor();
    await page.getByText("A step above decided. It would have served").click();
    await page.getByRole("img", { name: "Buckets: on 100 %" }).waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("starts from a recent user, and from a decision that was stored, beside what it is now", async () => {
    await server.client.evaluate("learner", { user_id: "bob", plan: "team" });
    const repeated = await server.client.evaluate("learner", { user_id: "bob", plan: "team" });
    await server.services.observer.flush();
    const { decision_id } = (await server.call("GET", "/decisions?user_id=bob")).body.decisions[0];
    const { page, wrong } = await openPage(browser);
    await page.goto(address({ feature: "learner", user: "nobody-yet" }));
    await page.getByRole("link", { name: "bob on" }).click();
    await page.waitForURL(/user=bob/);
    expect(await page.getByLabel("Attributes").inputValue()).toContain('"plan": "team"');

    await page.goto(address({}));
    await page.getByLabel("Decision id").fill(decision_id);
    await page.getByRole("button", { name: "Look it up" }).click();
    await page
      .getByText("it was on, by rollout, with version 1 of the feature. Asked again now it is the same")
      .waitFor();
    expect(await page.getByLabel("User id").inputValue()).toBe("bob");
    expect(await page.getByLabel("Attributes").inputValue()).toContain('"plan": "team"');

    // After a change the two answers differ, and both are there.
    const off = { name: "Learner", key: "learner", ml_enabled: true, enabled: false };
    expect((await server.call("PUT", "/features/learner", off)).body).toMatchObject({ enabled: false });
    await page.reload();
    await page.getByText("it was on, by rollout, with version 1").waitFor();
    await page.getByText("because the feature is switched off").waitFor();
    await page.getByText("Asked again now, the answer is the one above.").waitFor();

    // A repeated one is not stored: Live's link still says whom to ask about.
    await page.goto(address({ decision: repeated.decision_id, feature: "learner", user: "bob" }));
    await page.getByText("That decision itself is not stored").waitFor();
    await page.goto(address({ decision: "no-such-decision" }));
    await page.getByRole("heading", { name: "That decision is not stored" }).waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("is taken along: the link answers the same, and the test case holds for the engine alone", async () => {
    const { page } = await openPage(browser);
    await page.goto(address({ feature: "checkout", user: "o'neil", attributes: '{"plan":"pro","note":"it\'s"}' }));
    await page.getByText("because ").first().waitFor();
    const said = await page.getByRole("status").filter({ hasText: "because" }).innerText();
    const link = await copied(page, "Copy link");
    const { feature, user, expect: expected } = JSON.parse(await copied(page, "Copy as test case"));
    const snapshot = compile(makeConfiguration({ features: [makeFeature(feature)] }), STRATEGIES);
    expect(await evaluate(snapshot, feature.key, user, { now: Date.now() })).toMatchObject(expected);
    expect(expected).toMatchObject({ variant: "on", decision_source: "rule", step: "pro-users" });
    await page.goto("about:blank");
    await page.goto(link);
    await page.getByText("because ").first().waitFor();
    expect(await page.getByRole("status").filter({ hasText: "because" }).innerText()).toBe(said);
    await page.close();
  });

  test.skipIf(!hasCurl)("the copied curl runs as it is pasted", async () => {
    const { page } = await openPage(browser);
    await page.goto(
      address({ feature: "checkout", user: "o'neil", attributes: '{"plan":"pro","note":"it\'s $HOME"}' }),
    );
    await page.getByText("because ").first().waitFor();
    const command = await copied(page, "Copy as curl");
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command]);
    const { results } = JSON.parse(stdout);
    expect(results[0]).toMatchObject({
      user_id: "o'neil",
      variant: "on",
      decision_source: "rule",
      decision_id: "replay",
    });
    await page.close();
  });
});
