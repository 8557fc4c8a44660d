import { createRoute, z } from "@hono/zod-openapi";
import { checkConfiguration } from "../../../core/feature/check-configuration.ts";
import { type Feature, FeatureType } from "../../../core/feature/feature.ts";
import { FeatureWrite, ThresholdMode } from "../../../core/feature/feature-write.ts";
import { Objective } from "../../../core/feature/objective.ts";
import { shorthandOf } from "../../../core/feature/shorthand.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import { Json } from "../../../core/json.ts";
import type { WriteCheck } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { AuthorHeaders, authorOf } from "../author.ts";
import { check, readJson } from "../body.ts";
import { notFound } from "../errors.ts";
import { feature, featureWrite, revisions as revisionsExample } from "../examples/feature.ts";
import { etag, expectedVersion, IfMatch, VERSIONED } from "../if-match.ts";
import { type App, failures, header, json, on } from "../route.ts";

const FeatureAnswer = z
  .object({
    id: z.int(),
    environment: z.string(),
    key: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    enabled: z.boolean(),
    rollout_percentage: z.number(),
    ml_enabled: z.boolean(),
    ml_threshold_mode: ThresholdMode,
    ml_threshold_value: z.number(),
    type: FeatureType,
    variants: z.record(z.string(), Json),
    off_variant: z.string(),
    steps: z.array(
      z.object({
        id: z.string(),
        strategy: z.string(),
        when: Json.optional(),
        config: Json,
        on_failure: z.enum(["next", "fallback"]),
        budget_ms: z.number().optional(),
      }),
    ),
    fallback_variant: z.string(),
    objective: Objective.nullable(),
    tags: z.array(z.string()),
    owner: z.string().nullable(),
    expires_at: z.string().nullable(),
    version: z.int(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "Feature" });
export type FeatureAnswer = z.infer<typeof FeatureAnswer>;

const Revisions = z
  .object({
    revisions: z.array(
      z.object({
        version: z.int(),
        actor: z.string(),
        reason: z.string().nullable(),
        at: z.string(),
        definition: z.looseObject({ key: z.string() }).nullable().describe("null: the feature was deleted"),
      }),
    ),
  })
  .meta({ id: "Revisions" });
export type Revisions = z.infer<typeof Revisions>;

const tags = ["features"];
const params = z.object({ feature: z.string().meta({ description: "Key, or id", examples: ["new-checkout"] }) });
/** Of every route that takes a feature. */
export const featureBody = {
  ...json(FeatureWrite.meta({ id: "FeatureWrite" }), "The shorthand fields, or variants and steps", featureWrite),
  required: true,
};
export const create = createRoute({
  method: "post",
  path: "/features",
  operationId: "createFeature",
  tags,
  summary: "Create a feature",
  request: { body: featureBody, headers: AuthorHeaders },
  responses: {
    201: {
      ...json(FeatureAnswer, "Created", feature),
      headers: { ...VERSIONED, Location: header("Its address", "/features/new-checkout") },
    },
    ...failures(409),
  },
});
export const list = createRoute({
  method: "get",
  path: "/features",
  operationId: "listFeatures",
  tags,
  summary: "All features, by creation",
  responses: { 200: json(z.array(FeatureAnswer), "By creation", [feature]) },
});
export const read = createRoute({
  method: "get",
  path: "/features/{feature}",
  operationId: "getFeature",
  tags,
  summary: "One feature",
  request: { params },
  responses: { 200: { ...json(FeatureAnswer, "As stored", feature), headers: VERSIONED } },
});
export const replace = createRoute({
  method: "put",
  path: "/features/{feature}",
  operationId: "replaceFeature",
  tags,
  summary: "Replace a feature",
  description: "`If-Match` with the version that was read refuses the write (412) when another came between.",
  request: { params, body: featureBody, headers: IfMatch.extend(AuthorHeaders.shape) },
  responses: {
    200: { ...json(FeatureAnswer, "Stored", feature), headers: VERSIONED },
    ...failures(409, 412),
  },
});
export const remove = createRoute({
  method: "delete",
  path: "/features/{feature}",
  operationId: "deleteFeature",
  tags,
  summary: "Delete a feature; its revisions stay",
  request: { params, headers: IfMatch.extend(AuthorHeaders.shape) },
  responses: { 204: { description: "Deleted" }, ...failures(412, 422) },
});
export const revisions = createRoute({
  method: "get",
  path: "/features/{feature}/revisions",
  operationId: "listFeatureRevisions",
  tags,
  summary: "Who changed what, when and why, newest first; also of a deleted feature",
  request: { params },
  responses: { 200: json(Revisions, "Newest first", revisionsExample) },
});

export function featureRoutes(app: App, services: Pick<Services, "features" | "snapshots" | "strategies">): void {
  const { features, snapshots, strategies } = services;
  const sound: WriteCheck = (after) => checkConfiguration(after, strategies);

  on(app, create, async (c) => {
    const environment = c.get("environment");
    const definition = toDefinition(check(FeatureWrite, await readJson(c)), { strategies });
    const stored = await features.create(environment, definition, authorOf(c), sound);
    await snapshots.refresh(environment);
    return c.json(featureAnswer(stored), 201, { ...etag(stored.version), Location: `/features/${stored.key}` });
  });

  on(app, list, async (c) => c.json((await features.list(c.get("environment"))).map(featureAnswer)));

  on(app, read, async (c) => {
    const name = c.req.param("feature") ?? "";
    const stored = await features.get(c.get("environment"), name);
    if (stored === undefined) throw notFound("feature", name);
    return c.json(featureAnswer(stored), 200, etag(stored.version));
  });

  on(app, replace, async (c) => {
    const environment = c.get("environment");
    const name = c.req.param("feature") ?? "";
    const expected = expectedVersion(c);
    const write = check(FeatureWrite, await readJson(c));
    const change = (stored: Feature) => toDefinition(write, { strategies, stored });
    const stored = await features.update(environment, name, change, authorOf(c), { expected, check: sound });
    if (stored === undefined) throw notFound("feature", name);
    await snapshots.refresh(environment);
    return c.json(featureAnswer(stored), 200, etag(stored.version));
  });

  on(app, remove, async (c) => {
    const environment = c.get("environment");
    const name = c.req.param("feature") ?? "";
    const options = { expected: expectedVersion(c), check: sound };
    if (!(await features.remove(environment, name, authorOf(c), options))) throw notFound("feature", name);
    await snapshots.refresh(environment);
    return c.body(null, 204);
  });

  on(app, revisions, async (c) => {
    const name = c.req.param("feature") ?? "";
    const found = await features.revisions(c.get("environment"), name);
    if (found.length === 0) throw notFound("feature", name);
    return c.json({ revisions: found });
  });
}

/** The base contract's fields first; its shorthand is derived from the steps. */
function featureAnswer(feature: Feature): z.input<typeof FeatureAnswer> {
  const { id, environment, key, name, description, enabled, ...rest } = feature;
  const { type, variants, off_variant, steps, fallback_variant, objective, tags, owner, ...dated } = rest;
  return {
    ...{ id, environment, key, name, description, enabled, ...shorthandOf(feature) },
    ...{ type, variants, off_variant, steps: steps as z.input<typeof FeatureAnswer>["steps"], fallback_variant },
    ...{ objective, tags: [...tags], owner },
    ...dated,
  };
}
