import { createRoute, z } from "@hono/zod-openapi";
import { Percentage } from "../../../core/bucketing/split.ts";
import { type Policy, policyFor } from "../../../core/engine/policy-for.ts";
import { checkConfiguration } from "../../../core/feature/check-configuration.ts";
import type { Feature, FeatureDefinition } from "../../../core/feature/feature.ts";
import { FeatureWrite } from "../../../core/feature/feature-write.ts";
import { type CompleteObjective, completeObjective } from "../../../core/feature/objective.ts";
import { toDefinition } from "../../../core/feature/to-definition.ts";
import type { LoggedDecisions } from "../../../core/off-policy/decision-log.ts";
import { count, percent } from "../../../core/off-policy/in-words.ts";
import { createReplay } from "../../../core/off-policy/replay.ts";
import { ReplayResult } from "../../../core/off-policy/replay-result.ts";
import { type Configuration, Invalid } from "../../../core/ports.ts";
import type { Services } from "../../services.ts";
import { check, readJson } from "../body.ts";
import { notFound } from "../errors.ts";
import { replay as replayExample } from "../examples/replay.ts";
import { type App, json, on } from "../route.ts";

/** About how many decisions one replay reads: of more, it takes a part of the users. */
const MAX_DECISIONS = 200_000;
const THIRTY_DAYS = 30 * 86_400_000;

const Asked = z
  .strictObject({
    always: z.string().min(1).max(100).optional().describe("This variant for everyone"),
    rollout_percentage: Percentage.optional().describe("The feature with this percentage; its other steps stay"),
    steps: FeatureWrite.shape.steps.describe("The feature with these steps instead of its own; checked like a write"),
    model_version: z.string().min(1).max(200).optional().describe("The feature with this model, whatever its status"),
  })
  .refine((policy) => Object.values(policy).filter((value) => value !== undefined).length === 1, {
    message: "Takes exactly one of always, rollout_percentage, steps and model_version",
  })
  .meta({ minProperties: 1, maxProperties: 1 });
type Asked = z.infer<typeof Asked>;

const Time = z.iso.datetime({ offset: true });

const ReplayRequest = z
  .strictObject({
    policy: Asked,
    from: Time.optional().describe("Of the decisions. Default: 30 days before `to`"),
    to: Time.optional().describe("Default: now"),
    limit: z
      .int()
      .min(1)
      .max(MAX_DECISIONS)
      .default(MAX_DECISIONS)
      .describe("About how many decisions are read: of more, those of a part of the users"),
    level: z.number().min(0.5).max(0.999).default(0.95).describe("Of the intervals"),
  })
  .meta({ id: "ReplayRequest" });

const ReplayAnswer = ReplayResult.unwrap()
  .extend({
    feature_key: z.string(),
    policy: z.string().describe("What was asked about, in words"),
    from: z.string(),
    to: z.string(),
    window_seconds: z.number().describe("In which an event counts as the outcome of a decision"),
    sampled_share: z.number().describe("Share of the users whose decisions were read"),
  })
  .meta({ id: "Replay" });

export const route = createRoute({
  method: "post",
  path: "/features/{feature}/replay",
  operationId: "replayFeature",
  tags: ["features"],
  summary: "What would have happened if another policy had decided",
  description:
    "Re-decides the stored decisions of a feature with an objective, and values the policy by what came of those that were drawn (inverse propensity, self-normalised, doubly robust). Where the evidence does not carry the question, `answered` is false and `verdict` says what was found and what would work.",
  request: {
    params: z.object({ feature: z.string().meta({ description: "Key, or id", examples: ["new-checkout"] }) }),
    body: {
      ...json(ReplayRequest, "The policy, and the time of the decisions", { policy: { always: "on" } }),
      required: true,
    },
  },
  responses: {
    200: json(ReplayAnswer, "The estimates and a verdict, or a refusal in words", replayExample),
  },
});

type ReplayServices = Pick<Services, "clock" | "config" | "configuration" | "decisions" | "models" | "strategies">;

export function replayRoute(app: App, services: ReplayServices): void {
  const { clock, config, configuration, decisions } = services;

  on(app, route, async (c) => {
    const environment = c.get("environment");
    const name = c.req.param("feature") ?? "";
    const asked = check(ReplayRequest, await readJson(c));
    const now = clock.now();
    const { from, to } = timeOf(asked, now);
    const configured = await configuration.load(environment);
    const feature = configured.features.find(({ key, id }) => key === name || String(id) === name);
    if (feature === undefined) throw notFound("feature", name);
    const objective = requireObjective(feature);
    const { words, policy } = await policyOf(asked.policy, feature, configured, services);
    const logged = await decisions.read(environment, {
      feature_key: feature.key,
      objective,
      event_types: objective.event_types ?? config.POSITIVE_EVENT_TYPES,
      from,
      to,
      now,
      limit: asked.limit,
    });
    const { drawn: _, ...left_out } = logged.found;
    const replay = createReplay({
      arms: Object.keys(feature.variants),
      policy: words,
      direction: objective.direction,
      guardrails: objective.guardrails.length,
      level: asked.level,
      left_out,
    });
    for await (const rows of logged.rows) for (const row of rows) replay.add(row, policy(row.row, row.unit, row.at));
    const result = replay.result();
    const answer: z.input<typeof ReplayAnswer> = {
      feature_key: feature.key,
      policy: words,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      window_seconds: logged.window_seconds,
      sampled_share: logged.share,
      ...result,
      verdict: result.verdict + sampled(logged),
    };
    return c.json(answer);
  });
}

function timeOf(asked: z.output<typeof ReplayRequest>, now: number): { from: number; to: number } {
  const to = asked.to === undefined ? now : Date.parse(asked.to);
  const from = asked.from === undefined ? to - THIRTY_DAYS : Date.parse(asked.from);
  if (from < to) return { from, to };
  throw new Invalid(
    "empty_time",
    `There is no time between from ${new Date(from).toISOString()} and to ${new Date(to).toISOString()}: from comes first`,
    "/from",
  );
}

function requireObjective(feature: Feature): CompleteObjective {
  const objective = completeObjective(feature);
  if (objective !== null) return objective;
  throw new Invalid(
    "no_objective",
    `Cannot replay "${feature.key}": it has no objective, so nothing says what its decisions were worth, and they are stored without their probabilities. Give it an objective, and ask again when decisions have been made with it`,
  );
}

async function policyOf(
  asked: Asked,
  feature: Feature,
  configured: Configuration,
  { strategies, models }: ReplayServices,
): Promise<{ readonly words: string; readonly policy: Policy }> {
  const { always, rollout_percentage, steps, model_version } = asked;
  if (always !== undefined) {
    requireVariant(always, feature);
    const pmf = { [always]: 1 };
    return { words: `always "${always}"`, policy: () => pmf };
  }
  const asIfOn = { key: feature.key, name: feature.name, enabled: true };
  if (model_version !== undefined) {
    const model = await models.get(configured.environment, model_version);
    if (model === undefined) throw notFound("model", model_version);
    if (model.feature_key !== null && model.feature_key !== feature.key)
      throw new Invalid(
        "other_feature",
        `Model ${model_version} is of the feature "${model.feature_key}": it cannot decide for "${feature.key}"`,
        "/policy/model_version",
      );
    if (model.status === "failed")
      throw new Invalid(
        "failed_model",
        `Model ${model_version} failed while it was trained: ask about another version`,
        "/policy/model_version",
      );
    const definition = toDefinition(asIfOn, { strategies, stored: feature });
    return {
      words: `model ${model_version}`,
      policy: policyFor(configured, feature.key, strategies, { definition, model }),
    };
  }
  const definition = asPolicy(() => {
    const written = toDefinition({ ...asIfOn, rollout_percentage, steps }, { strategies, stored: feature });
    checkConfiguration(withDefinition(configured, feature, written), strategies);
    return written;
  });
  return {
    words: rollout_percentage === undefined ? "the steps" : `a rollout to ${rollout_percentage} %`,
    policy: policyFor(configured, feature.key, strategies, { definition }),
  };
}

function requireVariant(variant: string, { key, variants }: Feature): void {
  if (Object.hasOwn(variants, variant)) return;
  throw new Invalid(
    "unknown_variant",
    `Cannot say what always serving "${variant}" would do: "${key}" has no such variant (any more); ask about one of ${Object.keys(variants).join(", ")}`,
    "/policy/always",
  );
}

function withDefinition(configured: Configuration, feature: Feature, definition: FeatureDefinition): Configuration {
  const features = configured.features.map((other) => (other === feature ? { ...other, ...definition } : other));
  return { ...configured, features };
}

/** What is wrong with a write is wrong with the policy: its fields are found there. */
function asPolicy<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof Invalid) throw new Invalid(error.code, error.message, `/policy${error.field ?? ""}`);
    throw error;
  }
}

function sampled({ share, found }: LoggedDecisions): string {
  if (share === 1) return "";
  return ` Read were the decisions of ${percent(share)} of the users, chosen by a hash: there are ${count(found.drawn)} decisions.`;
}
