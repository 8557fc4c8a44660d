import { OpenAPIHono } from "@hono/zod-openapi";
import type { Services } from "../services.ts";
import { accessControl } from "./access.ts";
import { answerError, HttpError } from "./errors.ts";
import { answerHeaders } from "./headers.ts";
import type { App, Env, RouteContext } from "./route.ts";

/**
 * The whole HTTP floor as one Hono app. Two apps in one: `hot` holds the few routes that must cost nothing beyond
 * themselves (a single handler, no middleware, synchronous); everything else goes to `api`, whose middleware sets the
 * headers and checks access before any route is reached.
 */
export function createApp(services: Services): App {
  const headers = answerHeaders(services.config);
  const access = accessControl(services);

  const api: App = new OpenAPIHono<Env>();
  api.use(async (c, next) => {
    const origin = c.req.header("origin");
    const preflight = c.req.method === "OPTIONS" ? headers.preflight(origin) : undefined;
    if (preflight !== undefined) return c.body(null, 204, preflight);
    for (const [name, value] of Object.entries(headers.of(origin))) c.header(name, value);
    if (!access.isOpen(c.req.path)) {
      const { environment, actor } = await access.of(c);
      c.set("environment", environment);
      c.set("actor", actor);
    }
    return next();
  });

  const hot: App = new OpenAPIHono<Env>();
  api.onError(answerError);
  api.notFound((c) => answerError(noRoute(c, api, hot), c));
  hot.onError((error, c) => {
    for (const [name, value] of Object.entries(headers.of(c.req.header("origin")))) c.header(name, value);
    return answerError(error, c);
  });
  hot.notFound((c) => api.fetch(c.req.raw, c.env));
  return hot;
}

const METHODS = ["GET", "POST", "PUT", "DELETE"];

function noRoute(c: RouteContext, api: App, hot: App): HttpError {
  const { method, path } = c.req;
  // One match in `api` is the middleware above.
  const allowed = METHODS.filter(
    (other) => api.router.match(other, path)[0].length > 1 || hot.router.match(other, path)[0].length > 0,
  );
  if (allowed.length === 0)
    return new HttpError(404, "not_found", `There is nothing at ${path}; /docs lists every route`);
  const Allow = allowed.join(", ");
  return new HttpError(405, "method_not_allowed", `${path} does not take ${method}, only ${Allow}`, {
    headers: { Allow },
  });
}
