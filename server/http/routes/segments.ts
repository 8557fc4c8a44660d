import { createRoute, z } from "@hono/zod-openapi";
import { checkConfiguration } from "../../../core/feature/check-configuration.ts";
import { checkOperators } from "../../../core/feature/check-operators.ts";
import { Condition, completeCondition } from "../../../core/feature/condition.ts";
import type { Segment } from "../../../core/feature/segment.ts";
import { Json } from "../../../core/json.ts";
import { Invalid, type WriteCheck } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { notFound } from "../errors.ts";
import { segment, segmentWrite } from "../examples/feature.ts";
import { etag, expectedVersion, IfMatch, VERSIONED } from "../if-match.ts";
import { type App, failures, header, json, on } from "../route.ts";

/** Accepted and ignored, so that what was read can be written back. */
const ReadOnly = z.unknown().optional().meta({ readOnly: true, description: "Given by the server, ignored on write" });

const SegmentWrite = z
  .strictObject({
    key: z
      .string()
      .max(100)
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/, "Takes letters, digits, _ . : and -, starting with a letter or digit"),
    name: z.string().trim().min(1).max(100),
    condition: Condition,
    environment: ReadOnly,
    version: ReadOnly,
    created_at: ReadOnly,
    updated_at: ReadOnly,
  })
  .meta({ id: "SegmentWrite" });

export const SegmentAnswer = z
  .object({
    environment: z.string(),
    key: z.string(),
    name: z.string(),
    condition: Json,
    version: z.int(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "Segment" });

const tags = ["segments"];
const params = z.object({ segment: z.string().meta({ description: "Key", examples: ["beta-testers"] }) });
const body = { ...json(SegmentWrite, "A named condition", segmentWrite), required: true };
export const create = createRoute({
  method: "post",
  path: "/segments",
  operationId: "createSegment",
  tags,
  summary: "Create a segment: a named condition, used by any feature",
  request: { body },
  responses: {
    201: {
      ...json(SegmentAnswer, "Created", segment),
      headers: { ...VERSIONED, Location: header("Its address", "/segments/beta-testers") },
    },
    ...failures(409),
  },
});
export const list = createRoute({
  method: "get",
  path: "/segments",
  operationId: "listSegments",
  tags,
  summary: "All segments",
  responses: { 200: json(z.array(SegmentAnswer), "By key", [segment]) },
});
export const read = createRoute({
  method: "get",
  path: "/segments/{segment}",
  operationId: "getSegment",
  tags,
  summary: "One segment",
  request: { params },
  responses: { 200: { ...json(SegmentAnswer, "As stored", segment), headers: VERSIONED } },
});
export const replace = createRoute({
  method: "put",
  path: "/segments/{segment}",
  operationId: "replaceSegment",
  tags,
  summary: "Replace a segment; its key stays",
  request: { params, body, headers: IfMatch },
  responses: { 200: { ...json(SegmentAnswer, "Stored", segment), headers: VERSIONED }, ...failures(412) },
});
export const remove = createRoute({
  method: "delete",
  path: "/segments/{segment}",
  operationId: "deleteSegment",
  tags,
  summary: "Delete a segment that nothing uses",
  request: { params },
  responses: { 204: { description: "Deleted" }, ...failures(422) },
});

export function segmentRoutes(app: App, services: Pick<Services, "segments" | "snapshots" | "strategies">): void {
  const { segments, snapshots, strategies } = services;
  const sound: WriteCheck = (after) => checkConfiguration(after, strategies);

  on(app, create, async (c) => {
    const environment = c.get("environment");
    const stored = await segments.create(environment, complete(check(SegmentWrite, await readJson(c))), sound);
    await snapshots.refresh(environment);
    return c.json(stored, 201, { ...etag(stored.version), Location: `/segments/${stored.key}` });
  });

  on(app, list, async (c) => c.json(await segments.list(c.get("environment"))));

  on(app, read, async (c) => {
    const key = c.req.param("segment") ?? "";
    const stored = await segments.get(c.get("environment"), key);
    if (stored === undefined) throw notFound("segment", key);
    return c.json(stored, 200, etag(stored.version));
  });

  on(app, replace, async (c) => {
    const environment = c.get("environment");
    const key = c.req.param("segment") ?? "";
    const expected = expectedVersion(c);
    const written = complete(check(SegmentWrite, await readJson(c)));
    if (written.key !== key)
      throw new Invalid(
        "key_is_fixed",
        `A segment keeps its key: the path says "${key}", the body "${written.key}"`,
        "/key",
      );
    const stored = await segments.update(environment, key, written, { expected, check: sound });
    if (stored === undefined) throw notFound("segment", key);
    await snapshots.refresh(environment);
    return c.json(stored, 200, etag(stored.version));
  });

  on(app, remove, async (c) => {
    const environment = c.get("environment");
    const key = c.req.param("segment") ?? "";
    if (!(await segments.remove(environment, key, { check: sound }))) throw notFound("segment", key);
    await snapshots.refresh(environment);
    return c.body(null, 204);
  });
}

type Written = Pick<Segment, "key" | "name" | "condition">;

/** Gates get their seed once, so that renaming things later moves no user. */
function complete({ key, name, condition }: Written): Written {
  checkOperators(condition, "/condition");
  return { key, name, condition: completeCondition(condition, `segment:${key}#gate`) };
}
