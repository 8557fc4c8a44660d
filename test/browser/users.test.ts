import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openBrowser, openPage } from "../support/browser.ts";
import { startTestServer, type TestServer } from "../support/server.ts";

const START = Date.UTC(2026, 5, 1);
const HEADER = "timestamp,visitorid,event,itemid,transactionid";

describe.skipIf(chromiumPath === undefined)("the users page", () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startTestServer(), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const file = (name: string, lines: readonly string[]) => ({
    name,
    mimeType: "text/csv",
    buffer: Buffer.from([HEADER, ...lines].join("\n")),
  });
  const rows = (count: number) => Array.from({ length: count }, (_, i) => `${START + i},user-${i % 50},view,7,`);

  test("imports a file, lists what was rejected and why, and leads to a user", async () => {
    const { page, wrong } = await openPage(browser);
    await page.goto(`${server.url}/app/users`);
    await page.getByText("No event is stored yet").waitFor();
    const lines = rows(5_000);
    lines[2_000] = "never,user-1,view,7,";
    lines[2_001] = `${START},,view,7,`;
    await page.getByLabel("File with the columns").setInputFiles(file("shop.csv", lines));
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByText("4,998 events stored of 5,000 rows; 1 feature created; 2 rejected.").waitFor();
    const rejected = page.getByRole("region", { name: "Rejected lines" }).getByRole("row");
    expect(await rejected.count()).toBe(3);
    expect(await rejected.nth(1).innerText()).toMatch(/^2002\s+timestamp/);
    expect(await rejected.nth(2).innerText()).toMatch(/^2003\s+/);
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByText("0 events stored of 5,000 rows; 4,998 were there before").waitFor();

    await page.getByLabel("User id").fill("user-3");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "user-3", level: 1 }).waitFor();
    expect(await page.getByRole("region", { name: "Profile" }).getByRole("row").last().innerText()).toMatch(
      /view\s+100/,
    );
    await page.getByText("Nothing was decided for this user yet").waitFor();
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("a file of another kind is refused in the server's words", async () => {
    const { page } = await openPage(browser);
    await page.goto(`${server.url}/app/users`);
    const other = { name: "other.csv", mimeType: "text/csv", buffer: Buffer.from("time,who\n1,2\n") };
    await page.getByLabel("File with the columns").setInputFiles(other);
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByRole("alert").getByText("The CSV has no column").waitFor();
    await page.close();
  });

  test("says how far an import is, and ends it when it is cancelled", async () => {
    // The file comes from an address that goes on for ever: the form has none, so the page's own call is given it.
    const endless = createServer((_, response) => void response.write(`${[HEADER, ...rows(100)].join("\n")}\n`));
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    const { page } = await openPage(browser);
    await page.goto(`${server.url}/app/users`);
    await page.getByLabel("File with the columns").setInputFiles(file("any.csv", rows(1)));
    await page.evaluate(`document.querySelector("form[aria-label^=Import]").addEventListener("formdata", ({ formData }) => {
      formData.delete("csv_file");
      formData.set("csv_url", "http://127.0.0.1:${(endless.address() as AddressInfo).port}/");
      formData.set("batch_size", "10");
    })`);
    await page.getByRole("button", { name: "Import" }).click();
    await page.getByText(/\d+ rows read/).waitFor();
    expect(await page.getByRole("progressbar", { name: "Importing" }).count()).toBe(1);
    expect(await page.getByRole("button", { name: "Import" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText(/Cancelled after \d+ events?, which stay/).waitFor();
    expect(await page.getByRole("button", { name: "Import" }).isDisabled()).toBe(false);
    await page.close();
    endless.closeAllConnections();
    endless.close();
  });
});
