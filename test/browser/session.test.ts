import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { axeFindings, chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const AUTH_ISSUER_KEY = "the issuer's own key";

describe.skipIf(chromiumPath === undefined)("where the server wants to know who asks, the dashboard", () => {
  let server: TestServer;
  let browser: Browser;
  let now = Date.now();
  beforeAll(async () => {
    [server, browser] = await Promise.all([
      startTestServer({
        settings: { AUTH_ENABLED: "true", AUTH_JWT_SECRET: "a secret of at least 32 characters", AUTH_ISSUER_KEY },
        override: (services) => ({ ...services, clock: { now: () => now } }),
      }),
      openBrowser(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const bearer = async () => {
    const { body } = await server.call("POST", "/auth/token", { issuer_key: AUTH_ISSUER_KEY, subject: "grace" });
    return body.access_token as string;
  };

  test("signs in where one wanted to go, streams, writes under one's name, and signs out", async () => {
    const { page, wrong } = await openPage(browser, { scheme: "dark", width: 375 });
    await page.goto(`${server.url}/app/live?show=decisions`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByLabel("Issuer key").fill("a wrong key");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("is not this server's AUTH_ISSUER_KEY").waitFor();
    await page.getByLabel("Your name").fill("ada");
    await page.getByLabel("Issuer key").fill(AUTH_ISSUER_KEY);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Waiting for decisions" }).waitFor();
    expect(new URL(page.url()).search).toBe("?show=decisions");
    expect(
      await page.evaluate("document.cookie + JSON.stringify({ ...sessionStorage, ...localStorage })"),
    ).not.toContain("ey");

    await page.getByRole("link", { name: "Features" }).click();
    await page.getByRole("button", { name: "New feature" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Mine");
    await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "Mine", level: 1 }).waitFor();
    const headers = { Authorization: `Bearer ${await bearer()}` };
    const { body } = await server.call("GET", "/features/mine/revisions", undefined, headers);
    expect(body.revisions[0]).toMatchObject({ actor: "ada" });

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("says when a session has ended, and goes on with what one was doing", async () => {
    const { page, wrong } = await openPage(browser);
    await page.goto(server.url);
    await page.getByLabel("Issuer key or token").fill(await bearer());
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Sign out grace" }).waitFor();
    await page.getByRole("button", { name: "New feature" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Half written");
    now += 61 * 60_000;
    await page.getByRole("button", { name: "Create" }).click();
    const again = page.getByRole("dialog", { name: "Your session has ended" });
    await again.waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await again.isVisible()).toBe(true);
    expect(await again.getByLabel("Your name").inputValue()).toBe("grace");
    await again.getByLabel("Issuer key or token").fill(AUTH_ISSUER_KEY);
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.waitFor({ state: "detached" });
    const create = page.getByRole("dialog", { name: "New feature" });
    expect(await create.getByLabel("Name").inputValue()).toBe("Half written");
    await create.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "Half written", level: 1 }).waitFor();

    // Also when the page is opened after the session has ended.
    now += 61 * 60_000;
    await page.reload();
    await again.getByLabel("Issuer key or token").fill(AUTH_ISSUER_KEY);
    await again.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Half written", level: 1 }).waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });
});
