import { z } from "zod";
import { Condition } from "../../core/feature/condition.ts";

export type JsonSchema = Record<string, unknown>;
export type SchemaOf = (schema: z.ZodType) => JsonSchema;

/**
 * Converts all schemas of one direction in one call, so that what they share becomes one component. A named schema whose
 * input differs from its output (defaults filled, say) is called `<Name>Input` on the way in. A condition is checked by
 * hand and has a component of its own (condition-schema.ts).
 */
export function schemaPool(io: "input" | "output") {
  const all = new Map<z.ZodType, string>();
  return {
    add(schema: z.ZodType): void {
      if (!all.has(schema)) all.set(schema, `s${all.size}`);
    },
    build(taken: Readonly<Record<string, JsonSchema>>): { of: SchemaOf; components: Record<string, JsonSchema> } {
      const pool = z.object(Object.fromEntries([...all].map(([schema, name]) => [name, schema])));
      const made = z.toJSONSchema(pool, {
        io,
        unrepresentable: "any",
        override: ({ zodSchema, jsonSchema }) => {
          delete jsonSchema.id;
          if ((zodSchema as unknown) === Condition)
            Object.assign(jsonSchema, { $ref: "#/components/schemas/Condition" });
        },
      });
      const { properties, components } = rename({ properties: made.properties ?? {}, components: made.$defs ?? {} });
      const other = differing(components, taken);
      const named = Object.entries(components).map(([name, schema]) => [
        other.has(name) ? `${name}Input` : name,
        schema,
      ]);
      const final = rename({ properties, components: Object.fromEntries(named) }, other);
      return { components: final.components, of: (schema) => final.properties[all.get(schema) ?? ""] ?? {} };
    },
  };
}

interface Pool {
  readonly properties: Record<string, JsonSchema>;
  readonly components: Record<string, JsonSchema>;
}

/** zod's `#/$defs/X` becomes `#/components/schemas/X`; then, the second time, X becomes XInput where it differs. */
function rename(pool: object, other?: ReadonlySet<string>): Pool {
  const text = JSON.stringify(pool);
  if (other !== undefined)
    return JSON.parse(
      text.replaceAll(REFERENCE, (whole, name) => (other.has(name) ? whole.replace(/"$/, 'Input"') : whole)),
    );
  return JSON.parse(
    text
      .replaceAll('"#/$defs/', '"#/components/schemas/')
      .replaceAll(/"(#\/components\/schemas\/)?__schema(\d+)"/g, '"$1Part$2"'),
  );
}

const REFERENCE = /"#\/components\/schemas\/([^"]+)"/g;

/** Names taken by something else, and those that refer to such a name. */
function differing(
  components: Readonly<Record<string, JsonSchema>>,
  taken: Readonly<Record<string, JsonSchema>>,
): Set<string> {
  const other = new Set<string>();
  const differs = (name: string, text: string) =>
    taken[name] !== undefined &&
    (text !== JSON.stringify(taken[name]) || [...text.matchAll(REFERENCE)].some(([, inner]) => other.has(inner ?? "")));
  for (let before = -1; before < other.size; ) {
    before = other.size;
    for (const [name, schema] of Object.entries(components)) if (differs(name, JSON.stringify(schema))) other.add(name);
  }
  return other;
}
