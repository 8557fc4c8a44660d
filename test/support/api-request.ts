import type { DocumentedApi, DocumentedOperation, Received } from "./documented-api.ts";
import type { InputSchema } from "./schema-arbitrary.ts";

/** As fetch takes it. */
export interface ApiRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | FormData | Uint8Array<ArrayBuffer> | undefined;
}

/** Names of things that are there, by the parameter or field that holds them. */
export type Known = Readonly<Record<string, readonly string[]>>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: InputSchema;
}

/** What an operation takes as its body; undefined: nothing. */
export interface Media {
  readonly type: string;
  readonly schema: InputSchema;
  readonly example?: unknown;
}

/** Of a stream only that it begins. */
export async function sendRequest(url: string, method: string, { path, headers, body }: ApiRequest): Promise<Received> {
  const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
  const type = answer.headers.get("content-type");
  if (type === "text/event-stream") await answer.body?.cancel();
  const text = type === "text/event-stream" ? "" : await answer.text();
  const json = type?.startsWith("application/json") && text !== "";
  return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
}

/** With the documented example as its body, about what is there. */
export function exampleRequest(api: DocumentedApi, operation: DocumentedOperation, known: Known): ApiRequest {
  const media = mediaOf(operation);
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(known[name]?.[0] ?? "x"));
  const needed = parametersOf(api, operation).filter((parameter) => parameter.in === "query" && parameter.required);
  const query = new URLSearchParams(
    needed.map(({ name, schema }): [string, string] => [name, String(schema.examples?.[0])]),
  );
  return {
    path: query.size === 0 ? path : `${path}?${query}`,
    ...(media === undefined ? { headers: {} } : bodyOf(media, media.example)),
  };
}

/** A form sets its content type itself. */
export function bodyOf({ type }: Media, value: unknown): Pick<ApiRequest, "headers" | "body"> {
  if (type === "application/json") return { headers: { "Content-Type": type }, body: JSON.stringify(value) };
  const form = new FormData();
  for (const [name, field] of Object.entries(value as Record<string, unknown>))
    form.set(name, name === "csv_file" ? new Blob([String(field)]) : String(field));
  return { headers: {}, body: form };
}

export function mediaOf({ requestBody }: DocumentedOperation): Media | undefined {
  const [type, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  return type === undefined || media === undefined ? undefined : { type, ...media };
}

export function parametersOf(api: DocumentedApi, { parameters = [] }: DocumentedOperation): readonly Parameter[] {
  return parameters.map((parameter) => api.resolve(parameter) as Parameter);
}
