import type { Client } from "../../server/client/client.ts";

/** The flags of OpenFeature's evaluation scenarios (specification/assets/gherkin/evaluation.feature), as features of ours. */
const FLAGS = [
  { key: "boolean-flag", type: "boolean", variants: { on: true, off: false }, serve: "on" },
  { key: "string-flag", type: "string", variants: { greeting: "hi", parting: "bye" }, serve: "greeting" },
  { key: "integer-flag", type: "number", variants: { one: 1, ten: 10 }, serve: "ten" },
  { key: "float-flag", type: "number", variants: { tenth: 0.1, half: 0.5 }, serve: "half" },
  {
    key: "object-flag",
    type: "object",
    variants: { empty: {}, template: { showImages: true, title: "Check these pics out!", imagesPerPage: 100 } },
    serve: "template",
  },
  { key: "wrong-flag", type: "string", variants: { one: "uno", two: "dos" }, serve: "one" },
] as const;

export async function createOpenFeatureFlags(client: Client): Promise<void> {
  for (const { key, type, variants, serve } of FLAGS)
    await client.createFeature({
      name: `Flag ${key}`,
      key,
      type,
      variants,
      off_variant: serve,
      steps: [{ id: "all", strategy: "hash-bucketing", config: { arms: [{ variant: serve, weight: 100 }] } }],
    });
  const insider = [
    { attribute: "/fn", op: "equals", value: "Sulisław" },
    { attribute: "/ln", op: "equals", value: "Świętopełk" },
    { attribute: "/age", op: "equals", value: 29 },
    { attribute: "/customer", op: "equals", value: false },
  ];
  await client.createFeature({
    name: "Context aware",
    key: "context-aware",
    type: "string",
    variants: { internal: "INTERNAL", external: "EXTERNAL" },
    off_variant: "external",
    steps: [
      { id: "who", strategy: "rule-filters", config: { rules: [{ when: { all: insider }, variant: "internal" }] } },
    ],
  });
}

const INSIDER = { fn: "Sulisław", ln: "Świętopełk", age: 29, customer: false };
const TEMPLATE = { showImages: true, title: "Check these pics out!", imagesPerPage: 100 };

/** What a client must get: flag, the default it passes, the details it gets, and the context when there is one. */
export const SCENARIOS = [
  ["boolean-flag", false, { value: true, variant: "on", reason: "STATIC" }, {}],
  ["string-flag", "bye", { value: "hi", variant: "greeting", reason: "STATIC" }, {}],
  ["integer-flag", 1, { value: 10, variant: "ten", reason: "STATIC" }, {}],
  ["float-flag", 0.1, { value: 0.5, variant: "half", reason: "STATIC" }, {}],
  ["object-flag", {}, { value: TEMPLATE, variant: "template", reason: "STATIC" }, {}],
  ["context-aware", "EXTERNAL", { value: "INTERNAL", variant: "internal", reason: "TARGETING_MATCH" }, INSIDER],
  ["context-aware", "", { value: "EXTERNAL", variant: "external", reason: "DEFAULT" }, {}],
  ["missing-flag", "uh-oh", { value: "uh-oh", reason: "ERROR", errorCode: "FLAG_NOT_FOUND" }, {}],
  ["wrong-flag", 13, { value: 13, reason: "ERROR", errorCode: "TYPE_MISMATCH" }, {}],
] as const;
