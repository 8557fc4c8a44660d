import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { chromiumPath, openBrowser } from "../../../support/browser.ts";
import { startTestServer } from "../../../support/server.ts";
import { waitUntil } from "../../../support/wait-until.ts";

/** The web provider in a real browser, on a page of another origin. */
test.skipIf(chromiumPath === undefined)(
  "a page of another origin evaluates, stores the ETag, listens, and shows the change",
  async () => {
    const reports: { value: boolean; asked: { status: number; etag: string | null }[] }[] = [];
    const pages = await servePage((report) => reports.push(report as (typeof reports)[number]));
    const server = await startTestServer({ settings: { CORS_ALLOWED_ORIGINS: pages.origin } });
    const feature = (rollout_percentage: number) => ({ name: "Rollout", key: "rollout", rollout_percentage });
    await server.client.createFeature(feature(0));
    const browser = await openBrowser();
    await (await browser.newPage()).goto(`${pages.origin}/?api=${server.url}`);

    await waitUntil(() => reports.length === 1);
    expect(reports[0]).toEqual({ value: false, asked: [{ status: 200, etag: expect.stringMatching(/^".+"$/) }] });
    await waitUntil(() => server.services.metrics.snapshot().gauges.ofrep_event_streams === 1);
    await server.client.updateFeature("rollout", feature(100));
    await waitUntil(() => reports.length === 2);
    // Cross-origin with If-None-Match: the preflight allowed it, and the ETag was exposed.
    expect(reports[1]).toMatchObject({ value: true, asked: [{ status: 200 }, { status: 200 }] });
    expect(reports[1]?.asked[1]?.etag).not.toBe(reports[0]?.asked[0]?.etag);

    await browser.close();
    await pages.close();
    await server.close();
  },
  60_000,
);

const MODULES = {
  "@openfeature/core": "/node_modules/@openfeature/core/dist/esm/index.js",
  "@openfeature/web-sdk": "/node_modules/@openfeature/web-sdk/dist/esm/index.js",
  "@openfeature/ofrep-core": "/node_modules/@openfeature/ofrep-core/index.esm.js",
  "@openfeature/ofrep-web-provider": "/node_modules/@openfeature/ofrep-web-provider/index.esm.js",
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>OFREP</title>
<script type="importmap">${JSON.stringify({ imports: MODULES })}</script>
<script type="module">
  import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
  import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
  const asked = [];
  const fetchImplementation = async (...request) => {
    const response = await fetch(...request);
    asked.push({ status: response.status, etag: response.headers.get("etag") });
    return response;
  };
  const client = OpenFeature.getClient();
  const report = () => fetch("/report", { method: "POST",
    body: JSON.stringify({ value: client.getBooleanValue("rollout", true), asked }) });
  await OpenFeature.setContext({ targetingKey: "ada" });
  const baseUrl = new URLSearchParams(location.search).get("api");
  await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, fetchImplementation }));
  await report();
  client.addHandler(ProviderEvents.ConfigurationChanged, report);
</script>`;

/** The page, its modules as they are installed, and a place it reports to. */
async function servePage(take: (report: unknown) => void) {
  const server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/report") {
      let body = "";
      for await (const chunk of request) body += chunk;
      take(JSON.parse(body));
      answer.end();
    } else if (Object.values<string>(MODULES).includes(pathname)) {
      answer.setHeader("Content-Type", "text/javascript").end(readFileSync(`.${pathname}`));
    } else answer.setHeader("Content-Type", "text/html").end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
