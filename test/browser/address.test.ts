import type { Browser, Dialog, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

describe.skipIf(chromiumPath === undefined)("the address", () => {
  let server: TestServer;
  let browser: Browser;
  let page: Page;
  let wrong: readonly string[];
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
    await server.client.createFeature({ key: "banner", name: "Banner", rollout_percentage: 10 });
    const { body } = await server.call("GET", "/features/banner");
    await server.call("PUT", "/features/banner", { ...body, rollout_percentage: undefined, description: "Again" });
  });
  beforeEach(async () => {
    ({ page, wrong } = await openPage(browser));
    return async () => {
      expect(wrong).toEqual([]);
      await page.close();
    };
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  const heading = (name: string) => page.getByRole("heading", { name, level: 1 });

  test.each([
    ["/?q=ban", "New feature", "new", "New feature"],
    ["/app/features/banner", "Switch off", "switch-off", "Switch off Banner?"],
    ["/app/features/banner", "Delete this feature", "delete", "Delete Banner?"],
    ["/app/features/banner", "Restore", "restore-1", "Restore version 1?"],
    ["/app/models?feature=banner", "Train now", "train", "Train a model for banner?"],
    ["/app/experiments?feature=banner", "New experiment", "new", "New experiment"],
  ])(
    "of %s has the dialog that “%s” opens: Back closes it, a reload and a link open it",
    async (path, button, name, title) => {
      const dialog = page.getByRole("dialog", { name: title });
      await page.goto(server.url + path);
      await page.getByRole("button", { name: button, exact: true }).first().click();
      await dialog.waitFor();
      const link = `${server.url}${path}${path.includes("?") ? "&" : "?"}open=${name}`;
      await page.waitForURL(link);
      await page.reload();
      await dialog.waitFor();
      await page.goBack();
      await dialog.waitFor({ state: "detached" });
      await page.waitForURL(server.url + path);

      // Closed by a key it leaves nothing that Back would have to undo.
      await page.getByRole("button", { name: button, exact: true }).first().click();
      await dialog.waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      await page.waitForURL(server.url + path);

      // Come by a link, closing it stays on the page.
      await page.goto("about:blank");
      await page.goto(link);
      await dialog.waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "detached" });
      await page.waitForURL(server.url + path);
    },
  );

  test("after a dialog that leads elsewhere, Back leads to where it was opened", async () => {
    await page.goto(server.url);
    await page.getByRole("button", { name: "New feature" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill("Made here");
    await page.getByRole("button", { name: "Create" }).click();
    await heading("Made here").waitFor();
    await page.goBack();
    await heading("Features").waitFor();
    await page.waitForURL(`${server.url}/`);
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  test("has the parts that are unfolded", async () => {
    await page.goto(`${server.url}/app/features/banner`);
    await page.getByText("Changed in words only").click();
    await page.waitForURL(/[?&]panel=version-2/);
    await page.reload();
    await page.getByText("Nothing is different.").waitFor();
    await page.getByText("Changed in words only").click();
    await page.waitForURL((url) => url.search === "");
  });

  test("is left with unsaved edits only after asking: by a link, by Back, by closing", async () => {
    const asked: string[] = [];
    let answer: "accept" | "dismiss" = "dismiss";
    page.on("dialog", async (dialog: Dialog) => {
      asked.push(dialog.type());
      await dialog[answer]();
    });
    const unsaved = page.getByText("Changed, not saved yet");
    await page.goto(server.url);
    await page.getByRole("link", { name: "Banner" }).click();
    await page.getByRole("button", { name: "25 %" }).click();
    await unsaved.waitFor();

    await page.getByRole("link", { name: "Live", exact: true }).click();
    await page.evaluate("history.back()");
    await expect.poll(() => asked).toEqual(["confirm", "confirm"]);
    await page.waitForURL(`${server.url}/app/features/banner`);
    await page.reload({ timeout: 2_000 }).catch(() => {});
    await expect.poll(() => asked).toEqual(["confirm", "confirm", "beforeunload"]);
    expect(await page.getByRole("button", { name: "25 %" }).getAttribute("aria-pressed")).toBe("true");

    // A review is a place in the history like any other, and is not left by closing it.
    await page.getByRole("button", { name: "Review and save" }).click();
    await page.getByRole("dialog", { name: "Save the change?" }).waitFor();
    await page.goBack();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await unsaved.waitFor();

    answer = "accept";
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await heading("Live").waitFor();
    await page.goBack();
    await heading("Banner").waitFor();
    expect(await unsaved.count()).toBe(0);
    expect(asked).toHaveLength(4);
    await page.reload();
    await page.getByRole("link", { name: "Live", exact: true }).click();
    await heading("Live").waitFor();
    expect(asked).toHaveLength(4);
  });

  test("unsaved edits outlive the kill switch, and are gone once they are saved", async () => {
    await page.goto(`${server.url}/app/features/banner?open=save`);
    await heading("Banner").waitFor();
    await page.waitForURL((url) => url.search === "");
    await page.getByRole("button", { name: "50 %" }).click();
    expect(await page.getByRole("dialog").count()).toBe(0);
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.getByLabel("Reason").fill("It hurts");
    await page.getByRole("dialog").getByRole("button", { name: "Switch off" }).click();
    await page.getByText("everybody gets").waitFor();
    await page.getByText("Changed, not saved yet").waitFor();
    await page.getByRole("button", { name: "Review and save" }).click();
    await page.getByLabel("Reason").fill("It is better");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("“It is better”").waitFor();
    expect(await page.getByText("Changed, not saved yet").count()).toBe(0);
    expect(await server.client.getFeature("banner")).toMatchObject({ enabled: false, rollout_percentage: 50 });
  });
});
