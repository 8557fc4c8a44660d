import { z } from "zod";
import type { Strategy } from "../../core/strategy.ts";
import type { Config } from "../config.ts";
import type { App } from "./route.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";

/** An OpenAPI 3.1 document, as far as this file builds one. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly securitySchemes: object };
  readonly security?: readonly object[];
}

export interface Operation {
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
  readonly security?: readonly object[];
}

type Schema = Record<string, unknown>;
type Content = Record<string, { schema: Schema }>;
type Route = Extract<App["openAPIRegistry"]["definitions"][number], { type: "route" }>["route"];

export interface OpenApiOptions {
  readonly config: Pick<Config, "AUTH_ENABLED">;
  /** Each one's config becomes a component, and one of the choices of `StepConfig`. */
  readonly strategies: ReadonlyMap<string, Strategy>;
  readonly version: string;
}

/**
 * The document of every route that was added by `on`. The JSON Schemas are zod's own: OpenAPI 3.1 takes them as they are,
 * and they may refer to themselves (conditions do), which the generator of zod-openapi cannot follow.
 */
export function openApiDocument(app: App, { config, strategies, version }: OpenApiOptions): OpenApiDocument {
  const routes = app.openAPIRegistry.definitions.flatMap((entry) => (entry.type === "route" ? [entry.route] : []));
  const outputs = schemaPool("output");
  const inputs = schemaPool("input");
  for (const route of routes) {
    for (const schema of bodies(route)) inputs.add(schema);
    for (const object of [route.request?.params, route.request?.query])
      for (const schema of Object.values(shape(object))) inputs.add(schema);
    for (const schema of answers(route)) outputs.add(schema);
  }
  const configs = new Map([...strategies.values()].map((strategy) => [strategy, configOf(strategy)]));
  for (const schema of configs.values()) inputs.add(schema);
  const output = outputs.build({});
  const input = inputs.build(output.components);
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    (paths[route.path] as Record<string, Operation>)[route.method] = operation(route, input.of, output.of);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Adaptive feature flags", version, description: "A feature-flag server that learns, honestly." },
    paths,
    components: {
      schemas: { ...output.components, ...input.components, ...stepConfigs(configs, input.of) },
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        session: { type: "apiKey", in: "cookie", name: SESSION_COOKIE },
      },
    },
    ...(config.AUTH_ENABLED ? { security: [{ bearer: [] }, { session: [] }] } : {}),
  };
}

/** A plugin's schema that has no JSON Schema must not take the document with it. */
function configOf({ config }: Strategy): z.ZodType {
  try {
    z.toJSONSchema(config, { io: "input", unrepresentable: "any" });
    return config;
  } catch {
    return z.unknown();
  }
}

/** `HashBucketingConfig` and its like, and `StepConfig`: a step's config is that of its strategy. */
function stepConfigs(configs: ReadonlyMap<Strategy, z.ZodType>, input: SchemaOf): Record<string, Schema> {
  const components = [...configs].map(([{ id, summary }, schema]): [string, Schema] => [
    `${id.replaceAll(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase())}Config`,
    { title: id, description: summary, ...input(schema) },
  ]);
  return {
    ...Object.fromEntries(components),
    StepConfig: {
      description: "The settings of the step's strategy, by the strategy's id. Default: {}",
      anyOf: components.map(([name]) => ({ $ref: `#/components/schemas/${name}` })),
    },
  };
}

function operation(route: Route, input: SchemaOf, output: SchemaOf): Operation {
  const body = route.request?.body;
  const parameters = (["path", "query"] as const).flatMap((place) =>
    Object.entries(shape(place === "path" ? route.request?.params : route.request?.query)).map(([name, schema]) => ({
      name,
      in: place,
      required: place === "path" || !schema.safeParse(undefined).success,
      schema: input(schema),
    })),
  );
  return {
    summary: route.summary,
    description: route.description,
    tags: route.tags,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : { requestBody: { required: body.required ?? false, content: content(body.content, input) } }),
    responses: Object.fromEntries(
      Object.entries(route.responses).map(([status, response]) => [
        status,
        {
          description: "description" in response ? (response.description ?? "") : "",
          ...("content" in response && response.content ? { content: content(response.content, output) } : {}),
        },
      ]),
    ),
    ...(route.security === undefined ? {} : { security: route.security }),
  };
}

/** A body in each of its media types. */
type Media = Readonly<Record<string, unknown>>;

function content(media: Media, of: SchemaOf): Content {
  return Object.fromEntries(
    Object.entries(media).map(([type, entry]) => {
      const schema = schemaIn(entry);
      return [type, { schema: isZod(schema) ? of(schema) : ((schema ?? {}) as Schema) }];
    }),
  );
}

const bodies = (route: Route) => schemas(route.request?.body?.content ?? {});
const answers = (route: Route) =>
  Object.values(route.responses).flatMap((response) => ("content" in response ? schemas(response.content ?? {}) : []));
const schemas = (media: Media) => Object.values(media).map(schemaIn).filter(isZod);
const schemaIn = (entry: unknown): unknown =>
  typeof entry === "object" && entry !== null && "schema" in entry ? entry.schema : undefined;
const isZod = (schema: unknown): schema is z.ZodType => schema instanceof z.ZodType;
const shape = (object: unknown): Record<string, z.ZodType> => (object instanceof z.ZodObject ? object.shape : {});

type SchemaOf = (schema: z.ZodType) => Schema;

/**
 * Converts all schemas of one direction in one call, so that what they share becomes one component. A named schema whose
 * input differs from its output (defaults filled, say) is called `<Name>Input` on the way in.
 */
function schemaPool(io: "input" | "output") {
  const all = new Map<z.ZodType, string>();
  return {
    add(schema: z.ZodType): void {
      if (!all.has(schema)) all.set(schema, `s${all.size}`);
    },
    build(taken: Readonly<Record<string, Schema>>): { of: SchemaOf; components: Record<string, Schema> } {
      const pool = z.object(Object.fromEntries([...all].map(([schema, name]) => [name, schema])));
      const made = z.toJSONSchema(pool, {
        io,
        unrepresentable: "any",
        override: ({ jsonSchema }) => {
          delete jsonSchema.id;
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
  readonly properties: Record<string, Schema>;
  readonly components: Record<string, Schema>;
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
function differing(components: Readonly<Record<string, Schema>>, taken: Readonly<Record<string, Schema>>): Set<string> {
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
