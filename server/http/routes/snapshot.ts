import { createRoute, z } from "@hono/zod-openapi";
import { FeatureType } from "../../../core/feature/feature.ts";
import { Objective } from "../../../core/feature/objective.ts";
import { Json } from "../../../core/json.ts";
import type { Configuration } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { check } from "../body.ts";
import { catchUp } from "../catch-up.ts";
import { segment, servedFeature } from "../examples/feature.ts";
import { etagOf, IfNoneMatch, listsEtag, TAGGED } from "../ofrep/etag.ts";
import { type App, json, on } from "../route.ts";
import { starting } from "./evaluate.ts";
import { StoredExperiment } from "./experiments.ts";
import { SegmentAnswer } from "./segments.ts";

const ServedFeature = z
  .object({
    id: z.int(),
    environment: z.string(),
    key: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    type: FeatureType,
    variants: z.record(z.string(), Json),
    enabled: z.boolean(),
    off_variant: z.string(),
    steps: z.array(z.looseObject({ id: z.string(), strategy: z.string(), config: Json })),
    fallback_variant: z.string(),
    objective: Objective.nullable(),
    tags: z.array(z.string()),
    owner: z.string().nullable(),
    expires_at: z.string().nullable(),
    version: z.int(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "ServedFeature" });

const ServedModel = z
  .looseObject({
    version: z.string(),
    feature_key: z.string().nullable(),
    status: z.enum(["candidate", "live"]),
    learner: z.string(),
    target: z.enum(["propensity", "uplift"]),
    trained_at: z.string(),
    traffic: z.number(),
    health: z.enum(["fresh", "warning", "stopped"]),
    hash: z.string(),
    artifact: Json.describe("All that is needed to score"),
  })
  .meta({ id: "ServedModel" });

const SnapshotAnswer = z
  .object({
    contract: z.literal(1).describe("Of this answer's shape"),
    etag: z.string().describe("The ETag, so that a copy that was kept can be asked about"),
    environment: z.string(),
    revision: z.int().describe("Counts every change of the environment"),
    features: z.array(ServedFeature).describe("By creation"),
    segments: z.array(SegmentAnswer),
    models: z.array(ServedModel).describe("Those that decide"),
    experiments: z.array(StoredExperiment).describe("Those that run"),
  })
  .meta({ id: "Snapshot" });

/** What a client that decides for itself holds. */
export interface ServedSnapshot extends Configuration {
  readonly contract: 1;
  readonly etag: string;
}

const example = {
  contract: 1,
  etag: TAGGED.ETag.example,
  environment: "production",
  revision: 8,
  features: [servedFeature],
  segments: [segment],
  models: [],
  experiments: [],
};

export const read = createRoute({
  method: "get",
  path: "/snapshot",
  operationId: "getSnapshot",
  tags: ["decisions"],
  summary: "All that decisions are made from, for servers that decide for themselves",
  description:
    "Features, segments, running experiments and the models that decide. It tells every rule: fetch it from your servers, never into a web page, which OFREP is for. GET /changes tells when there is a new one. Also answered while the database is away.",
  request: {
    headers: IfNoneMatch,
    query: z.object({
      revision: z
        .string()
        .regex(/^\d{1,15}$/)
        .optional()
        .describe("The revision the caller has heard of: a server that has not looks first"),
    }),
  },
  responses: {
    200: { ...json(SnapshotAnswer, "The whole configuration", example), headers: TAGGED },
    304: { description: "Still the one of the If-None-Match", headers: TAGGED },
  },
});

export function snapshotRoute(app: App, services: Pick<Services, "snapshots" | "configuration">): void {
  const written = new WeakMap<Configuration, Written>();
  on(app, read, async (c) => {
    const environment = c.get("environment");
    const { revision } = check(read.request.query, c.req.query());
    await catchUp(services, environment, revision === undefined ? undefined : Number(revision));
    const configuration = services.snapshots.get(environment)?.configuration;
    if (configuration === undefined) throw starting();
    const { etag, text } = written.get(configuration) ?? write(configuration);
    written.set(configuration, { etag, text });
    const headers = { ETag: etag, "Cache-Control": "private, no-cache" };
    if (listsEtag(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
    return c.body(text, 200, { ...headers, "Content-Type": "application/json" });
  });
}

interface Written {
  readonly etag: string;
  readonly text: string;
}

/** The tag is of the content: another database that has come as far would have the same revision. */
function write(configuration: Configuration): Written {
  const content = JSON.stringify(configuration);
  const etag = etagOf([1, content]);
  return { etag, text: `{"contract":1,"etag":${JSON.stringify(etag)},${content.slice(1)}` };
}
