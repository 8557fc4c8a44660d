import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "../services.ts";

/**
 * Serves GET /metrics, the Prometheus text and nothing else, without a token: for processes that serve no HTTP, and for
 * scrapers that cannot send one.
 *
 * @throws Error when the address is taken or not this machine's
 */
export async function listenMetrics(
  metrics: Pick<Metrics, "prometheus">,
  { host, port }: { host: string; port: number },
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    metrics.prometheus().then(
      (text) => response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8").end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    const refuse = (cause: Error) =>
      reject(
        new Error(`Cannot serve metrics on ${host}:${port}: ${cause.message}. Set METRICS_PORT to a free port`, {
          cause,
        }),
      );
    server.once("error", refuse);
    server.listen(port, host, resolve);
  });
  const { address, family, port: given } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${given}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
