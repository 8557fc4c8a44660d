import { z } from "zod";
import { OFREP_FAILURES } from "./ofrep/answer-error.ts";
import { type App, FAILURES, failures } from "./route.ts";
import type { JsonSchema, SchemaOf } from "./schema-pool.ts";

/** An operation of an OpenAPI 3.1 document, as far as this file builds one. */
export interface Operation {
  readonly operationId?: string | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly parameters?: readonly object[];
  readonly requestBody?: { readonly required: boolean; readonly description?: string; readonly content: Content };
  readonly responses: Readonly<Record<string, Response | Reference>>;
  readonly security: readonly object[];
}

export interface Response {
  readonly description: string;
  readonly headers?: AnswerHeaders;
  readonly content?: Content;
}
type AnswerHeaders = Readonly<Record<string, { readonly required?: boolean }>>;
export interface Reference {
  readonly $ref: string;
}
type Content = Record<string, { schema: JsonSchema; example?: unknown }>;

export type Route = Extract<App["openAPIRegistry"]["definitions"][number], { type: "route" }>["route"];

export interface OperationParts {
  readonly input: SchemaOf;
  readonly output: SchemaOf;
  /** Of routes that need a token. */
  readonly security: readonly object[];
  /** Of the same routes: the parameters that are read before any route is asked. */
  readonly parameters: readonly Reference[];
}

export function operation(route: Route, parts: OperationParts): Operation {
  const { input, output } = parts;
  const body = route.request?.body;
  const parameters = [...parametersOf(route, input), ...(isOpen(route) ? [] : parts.parameters)];
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: route.description,
    tags: route.tags,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required ?? false,
            ...("description" in body ? { description: String(body.description) } : {}),
            content: content(body.content, input),
          },
        }),
    responses: Object.fromEntries(
      Object.entries(answersOf(route)).map(([status, answer]) => [
        status,
        SHARED.get(answer) ?? response(answer, output),
      ]),
    ),
    security: route.security ?? parts.security,
  };
}

/** What operations refer to instead of repeating it: `components.responses`. */
export function sharedResponses(output: SchemaOf): Record<string, Response> {
  return Object.fromEntries(
    [...SHARED].map(([answer, { $ref }]) => [$ref.slice(RESPONSES.length), response(answer, output)]),
  );
}

/** The zod schemas of a route: what comes in, and what goes out. */
export function schemasOf(route: Route): {
  readonly inputs: readonly z.ZodType[];
  readonly outputs: readonly z.ZodType[];
} {
  const { body, params, query, headers } = route.request ?? {};
  return {
    inputs: [
      ...schemasIn(body?.content),
      ...[params, query, headers].flatMap((object) => Object.values(shape(object))),
    ],
    outputs: Object.values(answersOf(route)).flatMap(({ content }) => schemasIn(content)),
  };
}

type Media = Readonly<Record<string, unknown>>;
interface Answer {
  readonly description: string;
  readonly headers?: AnswerHeaders;
  readonly content?: Media;
}

const RESPONSES = "#/components/responses/";
const SHARED = new Map<Answer, Reference>(
  Object.entries({ Failure: FAILURES, OfrepFailure: OFREP_FAILURES }).flatMap(([name, answers]) =>
    Object.entries(answers).map(([status, answer]) => [answer, { $ref: `${RESPONSES}${name}${status}` }]),
  ),
);

function isOpen({ security }: Route): boolean {
  return security?.length === 0;
}

/** What the route declares, and what any route of its kind may answer. Those of OFREP declare all of theirs. */
function answersOf(route: Route): Record<string, Answer> {
  const { body, query } = route.request ?? {};
  const shared = route.path.startsWith("/ofrep/")
    ? {}
    : {
        ...failures(500),
        ...(isOpen(route) ? {} : failures(401, 403, 404, 503)),
        ...(body === undefined ? {} : failures(400, 413)),
        ...(body === undefined && query === undefined ? {} : failures(422)),
      };
  return { ...shared, ...route.responses } as Record<string, Answer>;
}

function response({ description, headers, content: media }: Answer, output: SchemaOf): Response {
  return {
    description,
    ...(headers === undefined ? {} : { headers }),
    ...(media === undefined ? {} : { content: content(media, output) }),
  };
}

function parametersOf({ request }: Route, input: SchemaOf): object[] {
  const places = { path: request?.params, query: request?.query, header: request?.headers };
  return Object.entries(places).flatMap(([place, object]) =>
    Object.entries(shape(object)).map(([name, schema]) => {
      const { description, ...rest } = input(schema);
      return {
        name,
        in: place,
        ...(description === undefined ? {} : { description }),
        required: place === "path" || !schema.safeParse(undefined).success,
        schema: rest,
      };
    }),
  );
}

function content(media: Media, of: SchemaOf): Content {
  return Object.fromEntries(
    Object.entries(media).map(([type, entry]) => {
      const { schema, ...example } = entry as { schema?: unknown; example?: unknown };
      return [type, { schema: isZod(schema) ? of(schema) : ((schema ?? {}) as JsonSchema), ...example }];
    }),
  );
}

function schemasIn(media: Media = {}): z.ZodType[] {
  return Object.values(media)
    .map((entry) => (entry as { schema?: unknown }).schema)
    .filter(isZod);
}

const isZod = (schema: unknown): schema is z.ZodType => schema instanceof z.ZodType;
const shape = (object: unknown): Record<string, z.ZodType> => (object instanceof z.ZodObject ? object.shape : {});
