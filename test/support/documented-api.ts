import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import type { OpenApiDocument } from "../../server/http/openapi.ts";
import type { Response as Answer, Operation } from "../../server/http/operation.ts";

/** What the document says, and whether an answer or a body is what it says. */
export interface DocumentedApi {
  readonly operations: readonly DocumentedOperation[];
  /** By `GET /features/{feature}`. @throws Error when it is not documented */
  find(name: string): DocumentedOperation;
  /** What `{"$ref": ...}` stands for; anything else is itself. */
  resolve<T extends object>(value: T): T;
  /** Why the JSON value does not fit the schema at the JSON pointer into the document; empty: it does. */
  misfits(pointer: string, value: unknown): readonly string[];
  /** Why an answer is not one of those documented for the operation; empty: it is. */
  misfitsOf(operation: DocumentedOperation, answer: Received): readonly string[];
}

export interface DocumentedOperation extends Operation {
  /** `GET /features/{feature}` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** Where it stands in the document, as a JSON pointer. */
  readonly pointer: string;
}

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON. */
  readonly body: unknown;
}

export function documentedApi(document: OpenApiDocument): DocumentedApi {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addFormat("binary", true);
  ajv.addSchema(document, "api");

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      pointer: `/paths/${escaped(path)}/${method}`,
    })),
  );

  function resolve<T extends object>(value: T): T {
    if (!("$ref" in value)) return value;
    const names = String(value.$ref).slice(2).split("/").map(unescaped);
    return names.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document) as T;
  }

  function misfits(pointer: string, value: unknown): readonly string[] {
    const validate = ajv.getSchema(`api#${pointer.split("/").map(encodeURIComponent).join("/")}`);
    if (validate === undefined) throw new Error(`The document has no schema at ${pointer}`);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath || "/"} ${message} ${JSON.stringify(params)}`,
    );
  }

  return {
    operations,
    resolve,
    misfits,
    find(name) {
      const found = operations.find((operation) => operation.name === name);
      if (found === undefined) throw new Error(`The document has no operation ${name}`);
      return found;
    },
    misfitsOf({ pointer, responses }, { status, headers, body }) {
      const stated = responses[status];
      if (stated === undefined) return [`does not document status ${status}: ${JSON.stringify(body)}`];
      const answer = resolve(stated) as Answer;
      const at = "$ref" in stated ? stated.$ref.slice(1) : `${pointer}/responses/${status}`;
      const missing = Object.entries(answer.headers ?? {})
        .filter(([name, { required }]) => required && !headers.has(name))
        .map(([name]) => `${status} lacks the header ${name}`);
      return [...missing, ...bodyMisfits(answer, { at, type: headers.get("content-type"), body })];
    },
  };

  function bodyMisfits(
    { content }: Answer,
    { at, type, body }: { at: string; type: string | null; body: unknown },
  ): readonly string[] {
    if (content === undefined)
      return body === "" || body === undefined ? [] : [`has a body where ${at} documents none: ${type}`];
    const media = Object.keys(content).find((documented) => type?.split(";")[0] === documented);
    if (media === undefined) return [`${at} does not document ${type}`];
    if (media !== "application/json") return [];
    return misfits(`${at}/content/${escaped(media)}/schema`, body).map((misfit) => `${at}: ${misfit}`);
  }
}

const escaped = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");
const unescaped = (name: string) => name.replaceAll("~1", "/").replaceAll("~0", "~");
