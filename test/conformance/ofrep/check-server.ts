/**
 * Runs the cases of this folder against any OFREP 0.3 server that has the flags of flags.json. A case is a list of
 * exchanges: a request with what is expected of its answer; `listen` opens an event stream, `hear` waits for its next
 * event, `change` changes a flag. `{{name}}` stands for what an earlier exchange saved.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type HeardEvent, type Listener, listen } from "./listen.ts";
import { isObject, mismatch } from "./matches.ts";

export interface CheckOptions {
  /** Credentials, sent with every request but the anonymous ones. Cases that need to be refused without run only with. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Changes any flag. Cases that need it are skipped without. */
  readonly change?: () => Promise<void>;
}

export interface Checked {
  readonly suite: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** What was found and expected; why it was skipped. */
  readonly detail?: string;
}

interface Case {
  readonly name: string;
  readonly needs?: "auth" | "change";
  readonly exchanges: readonly Exchange[];
}

interface Exchange {
  readonly request?: Asked;
  readonly expect?: Expected;
  /** Name: `header:etag`, `body:value`, `event:id`, or `stream`, the address of the answer's first event stream. */
  readonly save?: Readonly<Record<string, string>>;
  readonly change?: true;
  readonly listen?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hear?: true;
  readonly schema?: string;
  readonly body?: unknown;
}

interface Asked {
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, in place of a body. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly anonymous?: true;
}

interface Expected {
  readonly status: number;
  /** By name: a regular expression, or `{"$not":text}`. */
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly schema?: string;
  readonly body?: unknown;
  /** Of a bulk answer, by key; each must be there exactly once. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly empty?: true;
}

const SUITES = ["single", "errors", "bulk", "caching", "streams"];

export async function checkServer(baseUrl: string, options: CheckOptions = {}): Promise<readonly Checked[]> {
  const results: Checked[] = [];
  for (const suite of SUITES)
    for (const one of read<readonly Case[]>(suite)) {
      const missing = lacking(one, options);
      const failed = missing === undefined ? await runCase(one, baseUrl, options) : undefined;
      const outcome = missing !== undefined ? "skipped" : failed === undefined ? "passed" : "failed";
      const detail = missing ?? failed;
      results.push({ suite, name: one.name, outcome, ...(detail === undefined ? {} : { detail }) });
    }
  return results;
}

function lacking({ needs }: Case, { headers, change }: CheckOptions): string | undefined {
  if (needs === "auth" && headers === undefined) return "no credentials were given";
  return needs === "change" && change === undefined ? "there is no way to change a flag" : undefined;
}

/** What is wrong; undefined: nothing. */
async function runCase({ exchanges }: Case, baseUrl: string, options: CheckOptions): Promise<string | undefined> {
  const saved = new Map<string, unknown>();
  let listener: Listener | undefined;
  try {
    for (const written of exchanges) {
      const exchange = fill(written, saved) as Exchange;
      if (exchange.change) await options.change?.();
      if (exchange.listen !== undefined) {
        await listener?.close();
        listener = await listen(new URL(exchange.listen, baseUrl).href, exchange.headers);
      }
      if (exchange.hear) {
        const event = (await listener?.next()) as HeardEvent;
        const wrong = misfit(exchange.schema, event.data) ?? mismatch(event.data, exchange.body);
        if (wrong !== undefined) return `The event: ${wrong}`;
        for (const [name, from] of Object.entries(exchange.save ?? {}))
          saved.set(name, from === "event:id" ? event.id : pick(event.data, from));
      }
      if (exchange.request === undefined) continue;
      const answer = await ask(exchange.request, baseUrl, options);
      const wrong = exchange.expect && judge(answer, exchange.expect);
      if (wrong !== undefined) return wrong;
      for (const [name, from] of Object.entries(exchange.save ?? {}))
        saved.set(name, from.startsWith("header:") ? answer.headers.get(from.slice(7)) : pick(answer.body, from));
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await listener?.close();
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** undefined when it is no JSON. */
  readonly body: unknown;
}

async function ask(
  { path, body, raw, headers, query, anonymous }: Asked,
  baseUrl: string,
  options: CheckOptions,
): Promise<Answer> {
  const url = `${baseUrl.replace(/\/$/, "")}${path}${query === undefined ? "" : `?${new URLSearchParams(query)}`}`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(anonymous ? {} : options.headers), ...headers },
    body: raw ?? JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parse(text) };
}

function judge(answer: Answer, { status, headers = {}, schema, body, flags, empty }: Expected): string | undefined {
  if (answer.status !== status)
    return `The status is ${answer.status}, expected ${status}: ${answer.text.slice(0, 200)}`;
  for (const [name, expected] of Object.entries(headers)) {
    const found = answer.headers.get(name) ?? "";
    const fits =
      typeof expected === "string" ? new RegExp(expected).test(found) : mismatch(found, expected) === undefined;
    if (!fits) return `The header ${name} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`;
  }
  if (empty && answer.text !== "") return `The body is ${answer.text.slice(0, 200)}, expected none`;
  return (
    misfit(schema, answer.body) ??
    (body === undefined ? undefined : mismatch(answer.body, body)) ??
    misflagged(answer.body, flags)
  );
}

function misflagged(body: unknown, flags: Expected["flags"]): string | undefined {
  const all = (isObject(body) && Array.isArray(body.flags) ? body.flags : []) as { key?: string }[];
  for (const [key, expected] of Object.entries(flags ?? {})) {
    const found = all.filter((flag) => flag.key === key);
    if (found.length !== 1) return `The flag ${key} is there ${found.length} times, expected once`;
    const wrong = mismatch(found[0], expected, `/flags/${key}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function misfit(schema: string | undefined, value: unknown): string | undefined {
  if (schema === undefined) return undefined;
  const { error } = schemaOf(schema).safeParse(value);
  return error && `${JSON.stringify(value)?.slice(0, 200)} is no ${schema}: ${z.prettifyError(error)}`;
}

function schemaOf(name: string): z.ZodType {
  return z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs: read("schemas") });
}

function pick(value: unknown, from: string): unknown {
  if (!isObject(value)) return undefined;
  if (from !== "stream") return value[from.replace(/^\w+:/, "")];
  const [stream] = Array.isArray(value.eventStreams) ? value.eventStreams : [];
  if (stream === undefined) throw new Error("The answer has no eventStreams, expected at least one");
  return (
    stream.url ??
    new URL(stream.endpoint.requestUri, stream.endpoint.origin ?? "relative:/").href.replace("relative:", "")
  );
}

/** Every `{{name}}`; a text that is nothing else becomes what was saved, of whatever type. */
function fill(value: unknown, saved: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === "string") {
    const whole = /^\{\{(\w+)\}\}$/.exec(value)?.[1];
    if (whole !== undefined) return saved.get(whole);
    return value.replaceAll(/\{\{(\w+)\}\}/g, (_, name) => String(saved.get(name)));
  }
  if (Array.isArray(value)) return value.map((one) => fill(one, saved));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fill(one, saved)]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function read<Content>(name: string): Content {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), "utf8"));
}
