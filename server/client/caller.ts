import type { z } from "zod";
import { ApiError, refusal } from "./api-error.ts";

export interface CallerOptions {
  /** Such as `http://127.0.0.1:8000`. A path is kept: `https://example.com/flags`. */
  readonly url: string;
  /** Bearer token, or what gives one before each call; when the server asks for one. */
  readonly token?: string | (() => string | Promise<string>);
  /** Default: the token's, else `production`. */
  readonly environment?: string;
  /** Author of changes, on a server without authentication. */
  readonly actor?: string;
  /** Milliseconds until a call is given up, unless the call says otherwise. Default 5,000. */
  readonly timeout?: number;
  /** Default: the runtime's own. */
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  /** Gives the call up: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. Default: the client's. */
  readonly timeout?: number | undefined;
}

/** What a route of server/http/routes says of itself, as far as a call is typed by it. */
interface RouteShape {
  readonly method: string;
  readonly path: string;
  readonly request?: object;
  readonly responses: object;
}

/** Asks over HTTP. `Route` is the type of the very route that answers: method, path, body, query and answer are its own. */
export interface Caller {
  /** @throws ApiError; with an aborted signal its reason */
  call<Route extends RouteShape>(
    method: Route["method"],
    path: Route["path"],
    ask?: Ask<Route>,
    options?: CallOptions,
  ): Promise<AnswerOf<Route>>;
  /** The same with the answer's headers. */
  callWithHeaders<Route extends RouteShape>(
    method: Route["method"],
    path: Route["path"],
    ask?: Ask<Route>,
    options?: CallOptions,
  ): Promise<{ readonly body: AnswerOf<Route>; readonly headers: Headers }>;
  /** An answer that goes on, when it is a 200: the timeout is for its beginning only. */
  open(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response>;
}

export interface Ask<Route extends RouteShape> {
  /** For the `{names}` in the path. */
  readonly params?: Readonly<Record<NamesIn<Route["path"]>, string | number>>;
  readonly query?: QueryOf<Route> | undefined;
  readonly body?: BodyOf<Route>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request may outlive the page; browsers then take 64 KB at most. Default false. */
  readonly keepalive?: boolean;
}

type Schema<Content> = Content extends { content: { "application/json": { schema: infer S extends z.ZodType } } }
  ? S
  : never;

/** Of a successful answer; undefined for a route without one. */
export type AnswerOf<Route extends RouteShape> = [Schema<Success<Route["responses"]>>] extends [never]
  ? undefined
  : z.output<Schema<Success<Route["responses"]>>>;
type Success<Responses> = Responses[keyof Responses & (200 | 201 | 202)];

export type BodyOf<Route extends RouteShape> = Route["request"] extends { body: infer Body }
  ? Sent<z.input<Schema<Body>>>
  : never;

/** As the server has read it: a query's numbers are numbers here, too. */
export type QueryOf<Route extends RouteShape> = Route["request"] extends { query: infer Query extends z.ZodType }
  ? Partial<z.output<Query>>
  : never;

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

/** Read only all the way down: nothing that is sent is changed. */
type Sent<T> = T extends readonly (infer Item)[]
  ? readonly Sent<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Sent<T[Key]> }
    : T;

interface Loose {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly keepalive?: boolean;
}

export function createCaller(options: CallerOptions): Caller {
  const { token, environment, actor, timeout: patience = 5_000, fetch: send = globalThis.fetch } = options;
  const base = options.url.replace(/\/+$/, "");

  async function headersWith(more: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const bearer = typeof token === "function" ? await token() : token;
    return {
      ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
      ...(environment === undefined ? {} : { "X-Environment": environment }),
      ...(actor === undefined ? {} : { "X-Actor": actor }),
      ...more,
    };
  }

  async function request(method: string, path: string, ask: Loose, { signal, timeout = patience }: CallOptions) {
    const address = base + fill(path, ask.params ?? {}) + search(ask.query ?? {});
    const late = AbortSignal.timeout(timeout);
    try {
      const response = await send(address, {
        method: method.toUpperCase(),
        headers: await headersWith({
          ...(ask.body === undefined ? {} : { "Content-Type": "application/json" }),
          ...ask.headers,
        }),
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
        keepalive: ask.keepalive ?? false,
      });
      return { response, text: await response.text() };
    } catch (error) {
      signal?.throwIfAborted();
      throw noAnswer(`${method.toUpperCase()} ${address}`, error, late.aborted ? timeout : undefined);
    }
  }

  async function callWithHeaders(method: string, path: string, ask: Loose = {}, options: CallOptions = {}) {
    const { response, text } = await request(method, path, ask, options);
    if (!response.ok) throw refusal(response, text);
    return { body: parse(text, response.status), headers: response.headers };
  }

  return {
    callWithHeaders,
    call: async (method: string, path: string, ask?: Loose, options?: CallOptions) =>
      (await callWithHeaders(method, path, ask, options)).body,

    async open(path, headers, signal) {
      const begun = new AbortController();
      const late = setTimeout(() => begun.abort(), patience);
      try {
        const response = await send(base + path, {
          headers: await headersWith(headers),
          signal: AbortSignal.any([signal, begun.signal]),
        });
        if (response.status !== 200) throw refusal(response, await response.text());
        return response;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ApiError) throw error;
        throw noAnswer(`GET ${base}${path}`, error, begun.signal.aborted ? patience : undefined);
      } finally {
        clearTimeout(late);
      }
    },
  } as Caller;
}

function fill(path: string, params: Readonly<Record<string, string | number>>): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

function search(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

function parse(text: string, status: number): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError(status, "unreadable", `The server answered ${status}, but no JSON: ${text.slice(0, 200)}`, {
      cause,
    });
  }
}

/** `late`: milliseconds it was waited for, when that was too long. */
function noAnswer(what: string, cause: unknown, late: number | undefined): ApiError {
  if (late !== undefined)
    return new ApiError(0, "timeout", `${what} had no answer within ${late} ms; \`timeout\` sets the patience`, {
      cause,
    });
  return new ApiError(0, "unreachable", `${what} could not be sent: ${reasonOf(cause)}; does the server run there?`, {
    cause,
  });
}

/** Node says "fetch failed" and hides why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}
