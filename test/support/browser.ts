import { existsSync } from "node:fs";
import process from "node:process";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";

const PLACES = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where this machine's Chromium is; undefined: it has none, and browser tests skip themselves. */
export const chromiumPath = PLACES.find((path) => path !== undefined && existsSync(path));

export function openBrowser(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error("There is no Chromium: set CHROMIUM_PATH");
  const args = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"];
  return chromium.launch({ executablePath: chromiumPath, args });
}

export interface Visit {
  readonly scheme?: "light" | "dark";
  /** Pixels. Default 1,280. */
  readonly width?: number;
}

/** A page of its own session, and what went wrong in it: exceptions, whatever its security policy refused, other hosts. */
export async function openPage(
  browser: Browser,
  { scheme = "light", width = 1280 }: Visit = {},
): Promise<{ page: Page; wrong: readonly string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
  page.setDefaultTimeout(15_000);
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) wrong.push(message.text());
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol !== "data:" && hostname !== "127.0.0.1") wrong.push(`It asked ${hostname} for ${request.url()}`);
  });
  return { page, wrong };
}

/** What axe finds wrong, one line a rule. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.map(({ id, help, nodes }) => id + ": " + help + ": " + nodes.map(({ html }) => html.slice(0, 120)).join(" | ")))`);
}
