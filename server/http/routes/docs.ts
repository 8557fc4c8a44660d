import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createRoute, z } from "@hono/zod-openapi";
import type { Strategy } from "../../../core/strategy.ts";
import type { Services } from "../../services.ts";
import { HttpError } from "../errors.ts";
import { type OpenApiDocument, openApiDocument } from "../openapi.ts";
import { type App, failures, file, header, json, on } from "../route.ts";

const require = createRequire(import.meta.url);
const swagger = require("swagger-ui-dist/package.json") as { version: string };
const own = require("../../../package.json") as { version: string };
const assetFolder = join(require.resolve("swagger-ui-dist/package.json"), "..");
/** The version is in the address, so that browsers may keep the assets for ever. */
const assets = `/docs/${swagger.version}`;

const TYPES: ReadonlyMap<string, string> = new Map([
  ["swagger-ui.css", "text/css; charset=utf-8"],
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["favicon-32x32.png", "image/png"],
]);

/** Swagger UI sets inline styles; scripts, though, only come from this server. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Adaptive feature flags: API</title>
    <link rel="stylesheet" href="${assets}/swagger-ui.css">
    <link rel="icon" href="${assets}/favicon-32x32.png">
  </head>
  <body>
    <div id="api"></div>
    <script src="${assets}/swagger-ui-bundle.js"></script>
    <script src="${assets}/start.js"></script>
  </body>
</html>
`;
const START = 'SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });\n';

const tags = ["operations"];
const page = createRoute({
  method: "get",
  path: "/docs",
  operationId: "getDocs",
  tags,
  summary: "This document, to read and to try",
  responses: {
    200: {
      description: "A page",
      headers: { "Content-Security-Policy": header("All of it is this server's own", POLICY) },
      content: { "text/html": { schema: z.string() } },
    },
    ...failures(404),
  },
  security: [],
});
const asset = createRoute({
  method: "get",
  path: "/docs/{version}/{file}",
  operationId: "getDocsAsset",
  tags,
  summary: "What the page is made of",
  request: {
    params: z.object({
      version: z.string().meta({ examples: [swagger.version] }),
      file: z.string().meta({ examples: ["swagger-ui.css"] }),
    }),
  },
  responses: { 200: file("text/css", "text/javascript", "image/png"), ...failures(404) },
  security: [],
});
const document = createRoute({
  method: "get",
  path: "/openapi.json",
  operationId: "getOpenApi",
  tags,
  summary: "This document, to generate clients from",
  responses: {
    200: json(z.looseObject({ openapi: z.literal("3.1.0") }), "OpenAPI 3.1", { openapi: "3.1.0" }),
    ...failures(404),
  },
  security: [],
});

/** `app` holds the document of every route, also of the hot ones. ENABLE_DOCS=false: 404. */
export function docsRoutes(app: App, { config, strategies }: Pick<Services, "config" | "strategies">): void {
  let made: OpenApiDocument | undefined;
  /** What it was made of: plugins may be read again. */
  let of: readonly Strategy[] = [];
  const enabled = () => {
    if (!config.ENABLE_DOCS) throw new HttpError(404, "docs_off", "The API docs are off: ENABLE_DOCS is false");
  };

  on(app, page, (c) => {
    enabled();
    return c.html(PAGE, 200, { "Content-Security-Policy": POLICY });
  });
  on(app, asset, async (c) => {
    enabled();
    const { version, file } = c.req.param();
    if (`/docs/${version}` !== assets) throw noAsset(c.req.path);
    const kept = { "Cache-Control": "public, max-age=31536000, immutable" };
    if (file === "start.js") return c.body(START, 200, { ...kept, "Content-Type": "text/javascript; charset=utf-8" });
    const type = TYPES.get(file ?? "");
    if (type === undefined) throw noAsset(c.req.path);
    return c.body(await readFile(join(assetFolder, file ?? "")), 200, { ...kept, "Content-Type": type });
  });
  on(app, document, (c) => {
    enabled();
    const present = [...strategies.values()];
    if (made === undefined || present.length !== of.length || present.some((strategy, at) => strategy !== of[at])) {
      made = openApiDocument(app, { config, strategies, version: own.version });
      of = present;
    }
    return c.json(made);
  });
}

function noAsset(path: string): HttpError {
  return new HttpError(404, "not_found", `There is nothing at ${path}; the docs are at /docs`);
}
