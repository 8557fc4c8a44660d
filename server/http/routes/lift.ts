import { createRoute, z } from "@hono/zod-openapi";
import { compareWithHoldout, meanOf } from "../../../core/experiment/compare-with-holdout.ts";
import { HoldoutLift } from "../../../core/experiment/holdout-lift.ts";
import type { DecisionCount, LiftQuestion, LiftStore } from "../../../core/experiment/lift-store.ts";
import type { Feature } from "../../../core/feature/feature.ts";
import { type CompleteObjective, completeObjective } from "../../../core/feature/objective.ts";
import type { Model } from "../../../core/model/model.ts";
import { createAssignment } from "../../../core/policy/assignment.ts";
import type { Services } from "../../services.ts";
import { check } from "../body.ts";
import { notFound } from "../errors.ts";
import { lift as liftExample } from "../examples/lift.ts";
import { type App, json, on } from "../route.ts";

const DAY = 86_400_000;
const DEFAULT_PERIOD = 30 * DAY;
const DEFAULT_WINDOW = 7 * DAY;

export const lift = createRoute({
  method: "get",
  path: "/features/{feature}/lift",
  operationId: "getFeatureLift",
  tags: ["features"],
  summary: "What deciding by model does to the objective, against the permanent holdout",
  description:
    "Each user counts once, by the first decision in the period that a learning step (ml-model, bandit) made or should have made. The holdout is whoever the objective holds out for ever: half are served the safe variant, half any. The model group is everybody else, also those for whom the step abstained (too unsure, too old a model) and another step decided: the holdout was drawn before the model was asked, so leaving them out of one group only would compare different kinds of users (intention to treat). What is measured is what the feature does with its model, its exploration and its fallbacks. Users count when window and grace have passed. Intervals and p-values are right for one look at a time chosen beforehand: whoever looks every day and stops at the first success finds effects that are not there.",
  request: {
    params: z.object({ feature: z.string().meta({ description: "Key, or id", examples: ["new-checkout"] }) }),
    query: z.object({
      from: z.iso
        .datetime({ offset: true })
        .optional()
        .describe("First decisions from here on. Default: when the live model went live, else 30 days ago"),
    }),
  },
  responses: {
    200: json(HoldoutLift.meta({ id: "HoldoutLift" }), "So far; also when there is nothing yet", liftExample),
  },
});

export function liftRoutes(
  app: App,
  services: Pick<Services, "clock" | "config" | "features" | "lifts" | "models" | "strategies">,
): void {
  const { clock, config, features, lifts, models, strategies } = services;

  on(app, lift, async (c) => {
    const environment = c.get("environment");
    const name = c.req.param("feature") ?? "";
    const { from } = check(lift.request.query, c.req.query());
    const feature = await features.get(environment, name);
    if (feature === undefined) throw notFound("feature", name);
    const model = (await models.live(environment, feature.key)) ?? (await models.live(environment, null));
    const objective = completeObjective(feature);
    const learns = (id: string) => strategies.get(id)?.learns ?? strategies.get(id)?.profile ?? false;
    const now = clock.now();
    const question: LiftQuestion = {
      environment,
      feature_key: feature.key,
      steps: feature.steps.filter(({ strategy }) => learns(strategy)).map(({ id }) => id),
      from: from === undefined ? sinceLive(model, now) : Date.parse(from),
      to: now,
      window: windowOf(objective, model),
      grace: (objective?.grace_seconds ?? 0) * 1000,
      event_types: objective?.event_types ?? config.POSITIVE_EVENT_TYPES,
      value: objective?.value ?? null,
      guardrails: objective?.guardrails ?? [],
    };
    const counts = await lifts.counts(question);
    const { users, sum } = counts.objective.model;
    return c.json({
      feature_key: feature.key,
      from: new Date(question.from).toISOString(),
      to: new Date(now).toISOString(),
      window_seconds: question.window / 1000,
      grace_seconds: question.grace / 1000,
      event_types: question.event_types,
      direction: objective?.direction ?? "increase",
      model: { users, mean: meanOf({ users, sum }) },
      holdout: await holdoutOf(lifts, question, feature, objective),
      immature_users: counts.immature_users,
      ...compareWithHoldout(counts, objective),
      decisions: sharesOf(await lifts.decisions(question)),
    } satisfies HoldoutLift);
  });
}

function sinceLive(model: Model | undefined, now: number): number {
  const live = model?.ramped_at ?? model?.trained_at;
  return live === undefined ? now - DEFAULT_PERIOD : Date.parse(live);
}

/** The objective's, else the one the live model was trained with, else a week. Milliseconds. */
function windowOf(objective: CompleteObjective | null, model: Model | undefined): number {
  if (objective?.window_seconds !== undefined) return objective.window_seconds * 1000;
  const process = z.object({ dataset_profile: z.object({ window_seconds: z.number().positive() }) });
  const trained = process.safeParse(model?.process).data?.dataset_profile.window_seconds;
  return trained === undefined ? DEFAULT_WINDOW : trained * 1000;
}

/** Which half a user is in is not stored: it is drawn again. */
async function holdoutOf(
  lifts: LiftStore,
  question: LiftQuestion,
  { key, variants }: Feature,
  objective: CompleteObjective | null,
): Promise<HoldoutLift["holdout"]> {
  const assignment = createAssignment(key, Object.keys(variants), objective);
  const safe = emptySum();
  const uniform = emptySum();
  const arms = new Map(Object.keys(variants).map((variant) => [variant, emptySum()]));
  await lifts.heldOut(question, ({ user_id, variant, outcome }) => {
    if (objective !== null && assignment.holdOut(user_id).u < 0.5) return add(safe, outcome);
    add(uniform, outcome);
    const arm = arms.get(variant);
    if (arm !== undefined) add(arm, outcome);
  });
  const shown = (sum: Sum) => ({ users: sum.users, mean: meanOf(sum) });
  return {
    ...shown({ users: safe.users + uniform.users, sum: safe.sum + uniform.sum }),
    safe_half: shown(safe),
    uniform_half: {
      ...shown(uniform),
      arms: [...arms].map(([variant, sum]) => ({ variant, ...shown(sum) })),
    },
  };
}

interface Sum {
  users: number;
  sum: number;
}

function emptySum(): Sum {
  return { users: 0, sum: 0 };
}

function add(to: Sum, outcome: number): void {
  to.users++;
  to.sum += outcome;
}

function sharesOf(counts: readonly DecisionCount[]): HoldoutLift["decisions"] {
  const total = counts.reduce((sum, { decisions }) => sum + decisions, 0);
  const by = (nameOf: (count: DecisionCount) => string | null) => {
    const sums = new Map<string, number>();
    for (const count of counts) {
      const name = nameOf(count);
      if (name !== null) sums.set(name, (sums.get(name) ?? 0) + count.decisions);
    }
    return [...sums]
      .sort(([, a], [, b]) => b - a)
      .map(([name, decisions]) => ({ name, decisions, share: decisions / total }));
  };
  return {
    total,
    by_source: by((count) => count.decision_source).map(({ name, ...rest }) => ({ decision_source: name, ...rest })),
    by_fallback_cause: by((count) => count.fallback_cause).map(({ name, ...rest }) => ({ cause: name, ...rest })),
  };
}
