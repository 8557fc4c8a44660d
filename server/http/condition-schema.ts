import { z } from "zod";
import { Gate } from "../../core/bucketing/split.ts";
import { operatorNames } from "../../core/feature/operators.ts";

/** The JSON Schema of a condition, which core/feature/condition.ts checks by hand. */
export function conditionSchema(): Record<string, unknown> {
  const { $schema: _, ...gate } = z.toJSONSchema(Gate, { io: "input" });
  const self = { $ref: "#/components/schemas/Condition" };
  const key = { type: "string", minLength: 1, maxLength: 100 };
  return {
    title: "Condition",
    description: "A question about the user, answered yes or no; nested at most 10 deep",
    anyOf: [
      { type: "boolean" },
      one({ all: { type: "array", items: self } }),
      one({ any: { type: "array", items: self } }),
      one({ not: self }),
      one({ segment: key }),
      {
        ...one({ feature: key, variant: { type: "array", items: { type: "string" }, minItems: 1, maxItems: 100 } }),
        required: ["feature"],
        description:
          "What another feature serves the user: one of `variant`, or without it anything but its off variant",
      },
      one({ gate }),
      {
        ...one({
          attribute: { type: "string", pattern: "^/", description: "JSON pointer into the user", examples: ["/plan"] },
          op: { type: "string", description: "GET /strategies has them all", examples: [...operatorNames()] },
          value: { description: "As the operator takes it" },
        }),
        required: ["attribute", "op"],
      },
    ],
  };
}

/** An object of these fields and no others, all required. */
function one(properties: Record<string, unknown>) {
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}
