import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRoute, z } from "@hono/zod-openapi";
import { type App, on } from "../route.ts";

const route = createRoute({
  method: "get",
  path: "/",
  tags: ["operations"],
  summary: "The start page",
  responses: { 200: { description: "A page", content: { "text/html": { schema: z.string() } } } },
});

export function homeRoutes(app: App): void {
  const page = readFileSync(new URL("../../dashboard/index.html", import.meta.url), "utf8");
  const policy = `default-src 'none'; script-src ${hashes(page, "script")}; style-src ${hashes(page, "style")}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  on(app, route, (c) => c.html(page, 200, { "Content-Security-Policy": policy, "Cache-Control": "no-cache" }));
}

/** The page's own inline blocks are all that may run: each is allowed by its hash. */
function hashes(page: string, tag: "script" | "style"): string {
  const blocks = [...page.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "g"))];
  return blocks.map(([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).join(" ");
}
