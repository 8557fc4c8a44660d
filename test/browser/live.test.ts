import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait-until.ts";

describe.skipIf(chromiumPath === undefined)("the live page", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
    await server.client.createFeature({ key: "half", name: "Half", rollout_percentage: 50 });
    await server.client.createFeature({ key: "learner", name: "Learner", ml_enabled: true });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const rows = (page: Page) => page.getByRole("region", { name: "Decisions and events" }).getByRole("row");
  const track = (user_id: string) =>
    server.client.track({ user_id, feature_key: "half", event_type: "buy", timestamp: new Date().toISOString() });

  async function watch(search = "") {
    const opened = await openPage(browser);
    await opened.page.goto(`${server.url}/app/live${search}`);
    await opened.page.getByRole("heading", { name: "Waiting for" }).waitFor();
    return opened;
  }

  test("10,000 decisions are all counted, 200 are kept, and the page still answers", async () => {
    const { page, wrong } = await watch();
    await page.getByText("0 decisions, 0 fallbacks, 0 events").waitFor();
    for (let from = 0; from < 10_000; from += 1_000) {
      const users = Array.from({ length: 1_000 }, (_, i) => ({ user_id: `user-${from + i}` }));
      await server.client.evaluateUsers("half", users);
    }
    await page.getByText("10,000 decisions, 0 fallbacks, 0 events since you came").waitFor();
    await page.getByRole("link", { name: "Why user-9999 got" }).waitFor();
    expect(await rows(page).count()).toBeLessThanOrEqual(201);
    expect(await page.getByText(/[\d,]+ not shown: more than 80 a second/).count()).toBe(1);
    expect(await page.getByText("dropped").count()).toBe(0);
    await page.getByRole("button", { name: "Pause" }).click();
    await server.client.evaluate("half", { user_id: "held" });
    await page.getByText("10,001 decisions").waitFor();
    await page.getByText("paused, 1 waiting").waitFor();
    expect(await page.getByRole("link", { name: "Why held got" }).count()).toBe(0);
    await page.getByRole("button", { name: "Go on" }).press("Enter");
    await page.getByRole("link", { name: "Why held got" }).waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("decisions and events come as they happen, and the server filters what is asked for", async () => {
    const both = await watch();
    const events = await watch("?show=events&user=bob");
    const fallbacks = await watch("?fallbacks=true");
    await server.client.evaluate("half", { user_id: "ada" });
    await server.client.evaluate("learner", { user_id: "ada" });
    await track("ada");
    await track("bob");
    await both.page.getByText("2 decisions, 1 fallback, 2 events").waitFor();
    await waitUntil(async () => (await rows(both.page).count()) === 5);
    await events.page.getByText("0 decisions, 0 fallbacks, 1 event ").waitFor();
    expect(await rows(events.page).last().innerText()).toMatch(/half\s+bob\s+buy\s+event/);
    await fallbacks.page.getByText("1 decision, 1 fallback, 0 events").waitFor();
    expect(await rows(fallbacks.page).last().innerText()).toContain("there is no model yet");
    // Choosing writes the address, which is what is asked for.
    await both.page.getByLabel("Show").selectOption("Decisions");
    await both.page.getByLabel("Feature", { exact: true }).selectOption("Half");
    await both.page.getByRole("heading", { name: "Waiting for decisions" }).waitFor();
    expect(new URL(both.page.url()).search).toBe("?show=decisions&feature=half");
    for (const { page, wrong } of [both, events, fallbacks]) {
      expect(wrong).toEqual([]);
      await page.close();
    }
  });

  test("rows do not move under the pointer", async () => {
    const { page } = await watch("?user=carl");
    await server.client.evaluate("half", { user_id: "carl" });
    await rows(page).last().hover();
    await server.client.evaluate("learner", { user_id: "carl" });
    await page.getByText("paused, 1 waiting").waitFor();
    expect(await rows(page).count()).toBe(2);
    await page.mouse.move(0, 0);
    await waitUntil(async () => (await rows(page).count()) === 3);
    await page.close();
  });

  test("pages of one browser share a connection, and the next one takes it over", async () => {
    const context = await browser.newContext();
    const [first, second] = [await context.newPage(), await context.newPage()];
    const streams = { first: 0, second: 0 };
    for (const [name, page] of [
      ["first", first],
      ["second", second],
    ] as const) {
      page.on("request", (request) => {
        if (request.url().includes("/decisions/stream")) streams[name]++;
      });
      await page.goto(`${server.url}/app/live?user=dora`);
    }
    await second.getByRole("heading", { name: "Waiting for decisions" }).waitFor();
    await server.client.evaluate("half", { user_id: "dora" });
    for (const page of [first, second]) await page.getByRole("link", { name: "Why dora got" }).waitFor();
    expect(streams).toEqual({ first: 1, second: 0 });
    await first.close();
    await server.client.evaluate("learner", { user_id: "dora" });
    await second.getByText("there is no model yet").waitFor();
    await second.getByText("2 decisions, 1 fallback").waitFor();
    expect(streams.second).toBe(1);
    await context.close();
  });

  test("a lost connection is told, and what was missed comes with the next one", async () => {
    const line = await cuttable(server.url);
    const { page } = await openPage(browser);
    await page.goto(`${line.url}/app/live?user=erna`);
    await page.getByRole("heading", { name: "Waiting for decisions" }).waitFor();
    await server.client.evaluate("half", { user_id: "erna" });
    await page.getByRole("link", { name: "Why erna got" }).waitFor();
    line.cut();
    await page.getByText("The server cannot be reached").waitFor();
    await server.client.evaluate("learner", { user_id: "erna" });
    line.mend();
    await page.getByText("there is no model yet").waitFor();
    await page.getByText("2 decisions, 1 fallback").waitFor();
    expect(await page.getByText("The server cannot be reached").count()).toBe(0);
    await page.close();
    line.close();
  });
});

/** A line to the server that can be cut, and mended. */
async function cuttable(to: string) {
  const { port, hostname } = new URL(to);
  const open = new Set<Socket>();
  let whole = true;
  const line = createServer((near) => {
    if (!whole) return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => {}).on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => line.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(line.address() as AddressInfo).port}`,
    cut() {
      whole = false;
      for (const socket of open) socket.destroy();
      open.clear();
    },
    mend() {
      whole = true;
    },
    close() {
      this.cut();
      line.close();
    },
  };
}
