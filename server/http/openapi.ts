import { z } from "zod";
import type { Strategy } from "../../core/strategy.ts";
import type { Config } from "../config.ts";
import { conditionSchema } from "./condition-schema.ts";
import { type Operation, operation, type Response, schemasOf, sharedResponses } from "./operation.ts";
import type { App } from "./route.ts";
import { type JsonSchema, type SchemaOf, schemaPool } from "./schema-pool.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";

/** An OpenAPI 3.1 document, as far as this file builds one. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0";
  readonly info: object;
  readonly servers: readonly object[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly responses: Readonly<Record<string, Response>>;
    readonly parameters: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

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
    const schemas = schemasOf(route);
    for (const schema of schemas.inputs) inputs.add(schema);
    for (const schema of schemas.outputs) outputs.add(schema);
  }
  const configs = new Map([...strategies.values()].map((strategy) => [strategy, configOf(strategy)]));
  for (const schema of configs.values()) inputs.add(schema);
  const output = outputs.build({});
  const input = inputs.build(output.components);
  const paths: Record<string, Record<string, Operation>> = {};
  const security = Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] }));
  const parts = {
    input: input.of,
    output: output.of,
    security: config.AUTH_ENABLED ? security : [{}, ...security],
    parameters: Object.keys(PARAMETERS).map((name) => ({ $ref: `#/components/parameters/${name}` })),
  };
  for (const route of routes) {
    paths[route.path] ??= {};
    (paths[route.path] as Record<string, Operation>)[route.method] = operation(route, parts);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Adaptive feature flags",
      version,
      summary: "A feature-flag server that learns, honestly",
      description: DESCRIPTION,
      license: { name: "Apache 2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The server this document comes from" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: {
        ...output.components,
        ...input.components,
        ...stepConfigs(configs, input.of),
        Condition: conditionSchema(),
      },
      responses: sharedResponses(output.of),
      parameters: PARAMETERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const DESCRIPTION = `Every failure is answered as \`{"detail": {"code", "message", "field", "errors"}}\`: \`code\` is for machines and
stable, \`message\` says what was tried, what was found and what would work. Below \`/ofrep\` failures are OFREP's.

What no operation lists: 405 with \`Allow\` for a method that a path does not take, 408 for a request that takes longer to
arrive than the server waits, 431 for headers beyond 16 KB. A body is read as JSON whatever its content type says.

Where authentication is off, an operation's security starts with \`{}\`: nobody needs a token.`;

const TAGS = {
  decisions: "What a user is served, and what was served",
  events: "What users do",
  features: "Features, their steps and what they achieve",
  segments: "Named conditions, used by any feature",
  environments: "Separate sets of everything else",
  experiments: "Variants compared on users drawn at random",
  training: "Fitting models to stored decisions and events",
  models: "Trained models, which of them decides, and how healthy it is",
  ofrep: "The OpenFeature Remote Evaluation Protocol 0.3, for the SDKs of any language",
  access: "Tokens and sessions",
  operations: "Health, metrics, the dashboard and this document",
};

const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A token of POST /auth/token" },
  api_key: {
    type: "apiKey",
    in: "header",
    name: "X-API-Key",
    description: "The same token, as OFREP's clients may send it",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: SESSION_COOKIE,
    description: "The same token, as POST /session gives it to a browser; it writes from this server's own pages only",
  },
};

/** Read before any route that needs a token is asked. */
const PARAMETERS = {
  Environment: {
    name: "X-Environment",
    in: "header",
    description: "Key of the environment. Default: the one the token opens, else production",
    schema: { type: "string" },
    example: "production",
  },
  TraceParent: {
    name: "traceparent",
    in: "header",
    description: "W3C trace context: the request's spans, and those of the jobs it queues, belong to this trace",
    schema: { type: "string" },
    example: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  },
};

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
function stepConfigs(configs: ReadonlyMap<Strategy, z.ZodType>, input: SchemaOf): Record<string, JsonSchema> {
  const components = [...configs].map(([{ id, summary }, schema]): [string, JsonSchema] => [
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
