import { OpenAPIHono } from "@hono/zod-openapi";
import type { Services, Snapshots } from "../services.ts";
import { observeRequests } from "../telemetry/observe-requests.ts";
import { type AccessControl, accessControl } from "./access.ts";
import { answerError, databaseUnavailable, HttpError } from "./errors.ts";
import { eventIntake } from "./event-intake.ts";
import { type AnswerHeaders, answerHeaders } from "./headers.ts";
import { answerOfrepError } from "./ofrep/answer-error.ts";
import { ofrepRoutes } from "./ofrep/ofrep.ts";
import type { App, Env, RouteContext } from "./route.ts";
import { authRoutes } from "./routes/auth.ts";
import { changesRoute } from "./routes/changes.ts";
import { createEventRoute } from "./routes/create-event.ts";
import { decisionRoutes } from "./routes/decisions.ts";
import { docsRoutes } from "./routes/docs.ts";
import { environmentRoutes } from "./routes/environments.ts";
import { evaluateRoute } from "./routes/evaluate.ts";
import { evaluateBatchRoute } from "./routes/evaluate-batch.ts";
import { eventRoutes } from "./routes/events.ts";
import { experimentRoutes } from "./routes/experiments.ts";
import { exposureRoute } from "./routes/exposures.ts";
import { featureRoutes } from "./routes/features.ts";
import { healthRoutes } from "./routes/health.ts";

import { liftRoutes } from "./routes/lift.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { modelCheckRoutes } from "./routes/model-checks.ts";
import { modelRoutes } from "./routes/models.ts";
import { pageRoutes } from "./routes/pages.ts";
import { previewRoute } from "./routes/preview.ts";
import { replayRoute } from "./routes/replay.ts";
import { segmentRoutes } from "./routes/segments.ts";
import { sessionRoutes } from "./routes/session.ts";
import { simulateRoutes } from "./routes/simulate.ts";
import { snapshotRoute } from "./routes/snapshot.ts";
import { strategyRoutes } from "./routes/strategies.ts";
import { systemRoutes } from "./routes/system.ts";
import { trainRoutes } from "./routes/train.ts";
import { userRoutes } from "./routes/users.ts";

/** The whole HTTP floor, ready for `listen` or for any server that speaks fetch. */
export interface HttpApp {
  /** Synchronous for the hot path when nothing has to wait. */
  fetch(request: Request, bindings?: Env["Bindings"]): Response | Promise<Response>;
  /** Ends the answers that would go on for ever: event streams. */
  close?(): void;
}

/**
 * Two apps in one: `hot` holds the few routes that must cost nothing beyond themselves (a single handler, no middleware,
 * synchronous); everything else goes to `api`, whose middleware sets the headers and checks access before any route.
 */
export function createApp(services: Services): HttpApp {
  const headers = answerHeaders(services.config);
  const access = accessControl(services);
  const hot: App = new OpenAPIHono<Env>();
  const api: App = new OpenAPIHono<Env>();
  guard(api, { access, headers, snapshots: services.snapshots });

  evaluateRoute(hot, api, services, { access, headers });
  const intake = eventIntake(services);
  createEventRoute(hot, api, intake, { access, headers });
  evaluateBatchRoute(hot, api, services, { access, headers });
  decisionRoutes(api, services);
  const ofrep = ofrepRoutes(api, services);
  changesRoute(api, services, ofrep);
  snapshotRoute(api, services);
  exposureRoute(api, services);
  featureRoutes(api, services);
  previewRoute(api, services);
  strategyRoutes(api, services);
  replayRoute(api, services);
  liftRoutes(api, services);
  segmentRoutes(api, services);
  environmentRoutes(api, services);
  experimentRoutes(api, services);
  eventRoutes(api, intake, services.events);
  userRoutes(api, services);
  simulateRoutes(api, services);
  trainRoutes(api, services);
  modelRoutes(api, services);
  modelCheckRoutes(api, services);
  authRoutes(api, services);
  sessionRoutes(api, services, access);
  healthRoutes(api, services);
  metricsRoutes(api, services);
  systemRoutes(api, services);
  docsRoutes(api, services);
  pageRoutes(api);

  const answer = (error: Error, c: RouteContext) =>
    (c.req.path.startsWith("/ofrep/") ? answerOfrepError : answerError)(error, c);
  api.onError(answer);
  api.notFound((c) => answer(noRoute(c, api, hot), c));
  hot.onError((error, c) => {
    setHeaders(c, headers);
    return answerError(error, c);
  });
  hot.notFound((c) => api.fetch(c.req.raw, c.env));

  const routes = [...hot.routes, ...api.routes];
  return {
    fetch: observeRequests(hot.fetch, { routes, metrics: services.metrics }),
    close() {
      ofrep.close();
      services.live.close();
    },
  };
}

/** What is stored and read there. */
const IN_DATABASE =
  /^\/(decisions(?!\/stream)|environments|events|experiments|exposures|features|ingest|models?|segments|simulate|train|users)(\/|$)/;

function guard(
  api: App,
  {
    access,
    headers,
    snapshots,
  }: { access: AccessControl; headers: AnswerHeaders; snapshots: Pick<Snapshots, "stale" | "unlessLost"> },
): void {
  api.use(async (c, next) => {
    const preflight = c.req.method === "OPTIONS" ? headers.preflight(c.req.header("origin")) : undefined;
    if (preflight !== undefined) return c.body(null, 204, preflight);
    setHeaders(c, headers);
    if (!access.isOpen(c.req.path)) {
      if (c.req.path.includes("\0")) throw new HttpError(404, "not_found", "No name holds a NUL character");
      const { environment, actor, pinned } = await access.of(c);
      c.set("environment", environment);
      c.set("actor", actor);
      c.set("pinned", pinned);
    }
    // The pool refuses what waits for it one by one, as attempts to connect fail: a burst would wait for minutes.
    if (!IN_DATABASE.test(c.req.path)) return next();
    if (snapshots.stale) throw databaseUnavailable();
    return snapshots.unlessLost(next());
  });
}

function setHeaders(c: RouteContext, headers: AnswerHeaders): void {
  for (const [name, value] of Object.entries(headers.of(c.req.header("origin")))) c.header(name, value);
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
