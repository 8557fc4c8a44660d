import { createRoute, z } from "@hono/zod-openapi";
import { Objective } from "../../../core/feature/objective.ts";
import { findOperator, operatorNames } from "../../../core/feature/operators.ts";
import type { Strategy } from "../../../core/strategy.ts";
import type { Services } from "../../services.ts";
import { type App, json, on } from "../route.ts";

const Strategies = z
  .object({
    strategies: z.array(
      z.object({
        id: z.string().describe("What a step names in `strategy`"),
        summary: z.string(),
        learns: z.boolean().describe("True when it decides by a trained model"),
        config: z.record(z.string(), z.unknown()).describe("JSON Schema of a step's `config`, as it is written"),
      }),
    ),
    operators: z
      .array(
        z.object({
          name: z.string(),
          summary: z.string(),
          value: z.string().nullable().describe("What `value` must be, in words; null: it takes none"),
          takes: z
            .enum(["text", "texts", "number", "numbers", "time"])
            .nullable()
            .describe("The kind of `value`, where there is only one"),
        }),
      )
      .describe("What conditions on an attribute may ask"),
    objective: z.record(z.string(), z.unknown()).describe("JSON Schema of a feature's `objective`, as it is written"),
  })
  .meta({ id: "Strategies" });
export type StrategiesAnswer = z.infer<typeof Strategies>;

const example = {
  strategies: [
    {
      id: "rule-filters",
      summary: "Serves a variant to the users a condition describes; the first rule that matches decides",
      learns: false,
      config: { type: "object", properties: { rules: { type: "array" } }, required: ["rules"] },
    },
  ],
  operators: [{ name: "in", summary: "Is one of these", value: "a list of texts", takes: "texts" }],
  objective: { type: "object", properties: { event_types: { type: "array" } } },
};

export const list = createRoute({
  method: "get",
  path: "/strategies",
  operationId: "listStrategies",
  tags: ["features"],
  summary: "What a feature can be made of: every strategy with its settings, every operator, the objective",
  responses: { 200: json(Strategies, "Of this server, its plugins included", example) },
});

export function strategyRoutes(app: App, { strategies }: Pick<Services, "strategies">): void {
  let made: StrategiesAnswer | undefined;
  on(app, list, (c) => {
    made ??= {
      strategies: [...strategies.values()].map(strategyAnswer),
      operators: operatorNames().map(operatorAnswer),
      objective: schemaOf(Objective),
    };
    return c.json(made);
  });
}

function strategyAnswer({
  id,
  summary,
  learns,
  profile = false,
  config,
}: Strategy): StrategiesAnswer["strategies"][number] {
  return { id, summary, learns: learns ?? profile, config: schemaOf(config) };
}

function schemaOf(type: z.ZodType): Record<string, unknown> {
  return JSON.parse(JSON.stringify(z.toJSONSchema(type, { io: "input", unrepresentable: "any" })));
}

function operatorAnswer(name: string): StrategiesAnswer["operators"][number] {
  const { summary = "", value = null, takes = null } = findOperator(name) ?? {};
  return { name, summary, value, takes };
}
