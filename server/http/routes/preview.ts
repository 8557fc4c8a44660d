import { createRoute, z } from "@hono/zod-openapi";
import type { StoredDecision } from "../../../core/decision/stored-decision.ts";
import { evaluate } from "../../../core/engine/evaluate.ts";
import { compile, type Snapshot } from "../../../core/engine/snapshot.ts";
import { checkConfiguration } from "../../../core/feature/check-configuration.ts";
import { FeatureWrite } from "../../../core/feature/feature-write.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import type { User } from "../../../core/strategy.ts";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { notFound } from "../errors.ts";
import { type App, json, on } from "../route.ts";
import { featureBody } from "./features.ts";

/** Decisions that are decided again. */
const MOST = 1_000;

const Preview = z
  .object({
    decisions: z.int().describe("The newest stored decisions of the feature that were decided again, at most 1,000"),
    changed: z.int().describe("Those that would be another variant"),
    moves: z.array(z.object({ from: z.string(), to: z.string(), decisions: z.int() })).describe("Most first"),
    without_attributes: z
      .int()
      .describe(
        "Those of which only the user's id was kept, since the feature does not learn: rules on attributes see nothing",
      ),
  })
  .meta({ id: "Preview" });
export type PreviewAnswer = z.infer<typeof Preview>;

const example = {
  ...{ decisions: 1000, changed: 120, moves: [{ from: "off", to: "on", decisions: 120 }], without_attributes: 0 },
};

export const route = createRoute({
  method: "post",
  path: "/features/{feature}/preview",
  operationId: "previewFeature",
  tags: ["features"],
  summary: "How many of the last 1,000 decisions a write would change, and which way",
  description:
    "Takes what PUT /features/{feature} takes, stores nothing, and decides the newest stored decisions again, each as of its own time: with the feature as it is, and as it would be. Events of the user since then are not taken into account.",
  request: {
    params: z.object({ feature: z.string().meta({ description: "Key, or id", examples: ["new-checkout"] }) }),
    body: featureBody,
  },
  responses: { 200: json(Preview, "What would change", example) },
});

export function previewRoute(
  app: App,
  services: Pick<Services, "configuration" | "features" | "storedDecisions" | "strategies">,
): void {
  const { configuration, features, storedDecisions, strategies } = services;

  on(app, route, async (c) => {
    const environment = c.get("environment");
    const name = c.req.param("feature") ?? "";
    const write = check(FeatureWrite, await readJson(c));
    const stored = await features.get(environment, name);
    if (stored === undefined) throw notFound("feature", name);
    const before = await configuration.load(environment);
    const definition = toDefinition(write, { strategies, stored });
    const after = {
      ...before,
      features: before.features.map((other) => (other.key === stored.key ? { ...other, ...definition } : other)),
    };
    checkConfiguration(after, strategies);
    const decisions = await storedDecisions.list(environment, { feature_key: stored.key }, MOST);
    const compared = compare(decisions, compile(before, strategies), compile(after, strategies));
    return c.json(compared satisfies z.input<typeof Preview>);
  });
}

function compare(decisions: readonly StoredDecision[], before: Snapshot, after: Snapshot): PreviewAnswer {
  const moves = new Map<string, { from: string; to: string; decisions: number }>();
  let changed = 0;
  for (const decision of decisions) {
    const from = variantIn(before, decision);
    const to = variantIn(after, decision);
    if (from === null || to === null || from === to) continue;
    changed += 1;
    const key = JSON.stringify([from, to]);
    const move = moves.get(key) ?? { from, to, decisions: 0 };
    move.decisions += 1;
    moves.set(key, move);
  }
  return {
    decisions: decisions.length,
    changed,
    moves: [...moves.values()].sort((a, b) => b.decisions - a.decisions),
    without_attributes: decisions.filter(({ attributes }) => attributes === null).length,
  };
}

/** null: a step answers with a promise, which a thousand times over would take too long to wait for. */
function variantIn(snapshot: Snapshot, { feature_key, user_id, attributes, at }: StoredDecision): string | null {
  const user: User = { ...attributes, user_id };
  const decided = evaluate(snapshot, feature_key, user, { now: Date.parse(at) });
  return decided instanceof Promise ? null : decided.variant;
}
