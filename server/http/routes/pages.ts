import { createRoute, z } from "@hono/zod-openapi";
import { type DashboardFile, readDashboard } from "../dashboard-files.ts";
import { HttpError } from "../errors.ts";
import { type App, failures, file, header, on, type RouteContext } from "../route.ts";

/** Everything is this server's own: no inline script or style, nothing from another host. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const html = {
  200: {
    description: "A page",
    headers: { "Content-Security-Policy": header("All of it is this server's own", POLICY) },
    content: { "text/html": { schema: z.string() } },
  },
};

const tags = ["operations"];
const start = createRoute({
  method: "get",
  path: "/",
  operationId: "getDashboard",
  tags,
  summary: "The dashboard: its first page",
  responses: html,
  security: [],
});
const home = createRoute({ ...start, path: "/app", operationId: "getDashboardHome" });
const page = createRoute({
  method: "get",
  path: "/app/{page}",
  operationId: "getDashboardPage",
  tags,
  summary: "The dashboard: any other page, also deeper ones",
  request: { params: z.object({ page: z.string().meta({ examples: ["features"] }) }) },
  responses: html,
  security: [],
});
const asset = createRoute({
  method: "get",
  path: "/assets/{file}",
  operationId: "getDashboardAsset",
  tags,
  summary: "What the dashboard is made of",
  request: { params: z.object({ file: z.string().meta({ examples: ["index-B4x7Qk2d.js"] }) }) },
  responses: { 200: file("text/javascript", "text/css", "image/svg+xml"), ...failures(404) },
  security: [],
});

const NOT_BUILT = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Adaptive feature flags</title></head>
  <body>
    <h1>Adaptive feature flags</h1>
    <p>The server is running, but its dashboard is not built: run <code>npm run build</code> and start the server again.
      The API works without it, see <a href="/docs">the API docs</a>.</p>
  </body>
</html>
`;

export function pageRoutes(app: App): void {
  const files = readDashboard();
  const answer = (c: RouteContext) => {
    const headers = { "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" };
    return files.page === undefined ? c.html(NOT_BUILT, 200, headers) : send(c, files.page, headers);
  };
  on(app, start, answer);
  on(app, page, answer);
  on(app, home, answer);
  app.get("/app/*", answer);

  on(app, asset, (c) => {
    const file = files.assets.get(c.req.param("file") ?? "");
    if (file === undefined)
      throw new HttpError(404, "not_found", `There is nothing at ${c.req.path}; the dashboard is at /`);
    return send(c, file, { "Cache-Control": "public, max-age=31536000, immutable" });
  });
}

function send(c: RouteContext, file: DashboardFile, headers: Readonly<Record<string, string>>): Response {
  const zipped = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
  return c.body(zipped ? file.gzipped() : file.plain, 200, {
    ...headers,
    "Content-Type": file.type,
    Vary: "Accept-Encoding",
    ...(zipped ? { "Content-Encoding": "gzip" } : {}),
  });
}
