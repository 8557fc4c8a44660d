import { createRoute, z } from "@hono/zod-openapi";
import type { Services } from "../../services.ts";
import { readJson } from "../body.ts";
import { catchUp } from "../catch-up.ts";
import { ofrepFlags, ofrepRequest } from "../examples/decision.ts";
import { type App, json, on } from "../route.ts";
import { OfrepFailure, ofrepFailures } from "./answer-error.ts";
import { askedContext, OfrepRequest } from "./asked-context.ts";
import type { Decider, DeciderServices } from "./decider.ts";
import { etagOf, IfNoneMatch, listsEtag, revisionIn, TAGGED } from "./etag.ts";
import { metadataOf } from "./evaluate-flag.ts";
import { flagAnswer, OfrepFlag } from "./flag-answer.ts";
import { streamAddress } from "./stream-address.ts";

/** Seconds a hidden page or app keeps its stream open. */
const INACTIVITY_DELAY = 120;

const OfrepFlags = z
  .object({
    flags: z.array(z.union([OfrepFlag, OfrepFailure])).describe("Every feature of the environment, by creation"),
    metadata: OfrepFlag.shape.metadata,
    eventStreams: z
      .array(
        z.object({
          type: z.literal("sse"),
          endpoint: z.object({ requestUri: z.string().describe("To be opened at this server; it is a secret") }),
          inactivityDelaySec: z.int(),
        }),
      )
      .optional()
      .describe("Where the client hears that it should fetch again. Left out while the database cannot be reached"),
  })
  .meta({ id: "OfrepFlags" });

const route = createRoute({
  method: "post",
  path: "/ofrep/v1/evaluate/flags",
  operationId: "evaluateFlagsBulk",
  tags: ["ofrep"],
  summary: "OFREP: evaluate all flags",
  description:
    "What OpenFeature's web and mobile providers call. The answer's ETag covers the context and the configuration; sent back as If-None-Match it gets 304 while both are the same.",
  request: {
    headers: IfNoneMatch,
    query: z.object({
      flagConfigEtag: z.string().optional().describe("The `etag` of the event that caused this call"),
      flagConfigLastModified: z.string().optional().describe("Its `lastModified`. Taken, not needed"),
    }),
    body: { ...json(OfrepRequest, "Who is asked about", ofrepRequest), required: false },
  },
  responses: {
    200: { ...json(OfrepFlags, "Every flag's value", ofrepFlags), headers: TAGGED },
    304: { description: "Nothing has changed since the answer with this ETag", headers: TAGGED },
    ...ofrepFailures(400, 401, 403, 429, 500, 503),
  },
});

export type BulkServices = DeciderServices & Pick<Services, "configuration" | "secrets">;

export function evaluateFlagsRoute(app: App, services: BulkServices, decider: Decider): void {
  const { clock, snapshots, secrets } = services;
  on(app, route, async (c) => {
    const asked = askedContext(await readJson(c, { empty: {} }));
    const environment = c.get("environment");
    await catchUp(services, environment, revisionIn(c.req.query("flagConfigEtag"), environment));
    const snapshot = decider.snapshot(environment);
    const { revision } = snapshot;
    const question = { ...asked, environment, snapshot, keys: undefined };
    const profile = await decider.profile(question);
    const requestUri = await secrets.eventStreamKey().then(
      (key) => streamAddress(key, { environment, since: revision, now: clock.now() }),
      () => undefined,
    );
    // The address changes hourly, and with it the tag: a client never stays with one that has expired.
    const ETag = etagOf([
      environment,
      revision,
      snapshots.edition,
      requestUri ?? null,
      snapshots.stale,
      asked.user,
      profile ?? null,
    ]);
    if (listsEtag(c.req.header("if-none-match"), ETag)) return c.body(null, 304, { ETag });

    const metadata = metadataOf(environment, asked.targetingKey);
    const decisions = await decider.decide(question, profile);
    const flags = decisions.map((decision) => flagAnswer(decision, metadata));
    const whole = { flags, metadata: { ...metadata, version: String(revision) } };
    const eventStreams = [{ type: "sse", endpoint: { requestUri }, inactivityDelaySec: INACTIVITY_DELAY }];
    return c.json(requestUri === undefined ? whole : { ...whole, eventStreams }, 200, { ETag });
  });
}
