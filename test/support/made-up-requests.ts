import fc from "fast-check";
import {
  type ApiRequest,
  bodyOf,
  exampleRequest,
  type Known,
  type Media,
  mediaOf,
  type Parameter,
  parametersOf,
} from "./api-request.ts";
import type { DocumentedApi, DocumentedOperation } from "./documented-api.ts";
import { type InputSchema, schemaArbitrary } from "./schema-arbitrary.ts";
import { spoiled } from "./spoiled.ts";

/** A request that nobody wrote, and what is the matter with it, for the test's message. */
export interface MadeUpRequest extends ApiRequest {
  readonly what: string;
}

export interface MakeUpOptions {
  readonly seed: number;
  /** Requests to an operation, at most. */
  readonly count: number;
  readonly known: Known;
}

/** Fit what is documented of the operation. Whether what they name is there, and makes sense, is another question. */
export function fittingRequests(
  api: DocumentedApi,
  operation: DocumentedOperation,
  { seed, count, known }: MakeUpOptions,
): readonly MadeUpRequest[] {
  const resolve = (schema: InputSchema) => api.resolve(schema);
  const parameters = parametersOf(api, operation);
  const media = mediaOf(operation);

  function valuesOf({ name, schema }: Parameter): fc.Arbitrary<string> {
    const any = schemaArbitrary(schema, { resolve, known })
      .map(String)
      .filter((text) => text !== "");
    const there = known[name];
    if (there === undefined) return any;
    return fc.oneof({ arbitrary: fc.constantFrom(...there), weight: 3 }, { arbitrary: any, weight: 1 });
  }

  function parametersIn(place: Parameter["in"]): fc.Arbitrary<Record<string, string>> {
    const some = parameters.filter((parameter) => parameter.in === place);
    const requiredKeys = some.filter(({ required }) => required).map(({ name }) => name);
    return fc.record(Object.fromEntries(some.map((parameter) => [parameter.name, valuesOf(parameter)])), {
      requiredKeys,
    });
  }

  function bodies(): fc.Arbitrary<Pick<ApiRequest, "headers" | "body">> {
    if (media === undefined) return fc.constant({ headers: {} });
    const fits = (value: unknown) => api.misfits(schemaOf(operation, media), value).length === 0;
    const body = schemaArbitrary(media.schema, { resolve, known })
      .filter(fits)
      .map((value) => bodyOf(media, value));
    return operation.requestBody?.required ? body : fc.option(body, { nil: { headers: {} }, freq: 4 });
  }

  const request = fc
    .tuple(parametersIn("path"), parametersIn("query"), parametersIn("header"), bodies())
    .map(([path, query, headers, body]) => ({
      what: "fits",
      path: `${fill(operation.path, path)}?${new URLSearchParams(query)}`,
      ...body,
      headers: { ...body.headers, ...printable(headers) },
    }));
  return fc.sample(request, { numRuns: count, seed });
}

/** The documented example with one thing changed, so that it does not fit its schema any more. */
export function misfitRequests(
  api: DocumentedApi,
  operation: DocumentedOperation,
  { seed, count, known }: MakeUpOptions,
): readonly MadeUpRequest[] {
  const media = mediaOf(operation);
  if (media?.type !== "application/json") return [];
  const schema = schemaOf(operation, media);
  const misfits = spoiled(media.example).filter(({ value }) => api.misfits(schema, value).length > 0);
  const maxLength = Math.min(count, misfits.length);
  const some = fc.sample(fc.shuffledSubarray(misfits, { minLength: maxLength, maxLength }), { numRuns: 1, seed });
  const good = exampleRequest(api, operation, known);
  return some.flat().map(({ what, value }) => ({ ...good, what, body: JSON.stringify(value) }));
}

/** About as strange as requests get, one thing at a time: parameters, headers, bodies that are none. */
export function strangeRequests(
  api: DocumentedApi,
  operation: DocumentedOperation,
  { known }: MakeUpOptions,
): readonly MadeUpRequest[] {
  const good = exampleRequest(api, operation, known);
  const parameters = parametersOf(api, operation).flatMap((parameter): MadeUpRequest[] => {
    const { name } = parameter;
    if (parameter.in === "header")
      return HEADERS.map((value) => ({
        ...good,
        what: `${name}: ${value.slice(0, 20)}`,
        headers: { ...good.headers, [name]: value },
      }));
    const others = parameter.in === "path" ? { ...known, [name]: [MARK] } : known;
    const { path, ...rest } = exampleRequest(api, operation, others);
    const at = parameter.in === "path" ? path : `${path}${path.includes("?") ? "&" : "?"}${name}=${MARK}`;
    return VALUES.map((value) => ({
      ...rest,
      what: `${name} is ${value.slice(0, 20)}`,
      path: at.replace(MARK, value),
    }));
  });
  if (mediaOf(operation) === undefined) return parameters;
  const bodies = Object.entries(BODIES).map(([what, body]) => ({ ...good, what: `the body ${what}`, body }));
  const types = ["text/csv", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"].map((type) => ({
    ...{ ...good, what: `it says it is ${type}`, headers: { "Content-Type": type } },
    body: typeof good.body === "string" ? good.body : "a,b",
  }));
  return [...parameters, ...bodies, ...types];
}

const MARK = "MARK";
/** As they stand in an address. */
const VALUES = ["%00", "%E0%A4%A", "%F0%9F%9A%80", "..%2F..%2Fetc", "-1", "1e999", "x".repeat(3000), "__proto__"];
const HEADERS = ["nonsense", "", "x".repeat(3000)];
const BODIES = {
  "is cut off": "{",
  "is empty": "",
  "is not UTF-8": new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
  "is a NaN": "NaN",
  "nests deep": "[".repeat(20_000),
  "is large": `{"x":"${"x".repeat(300_000)}"}`,
};

function schemaOf({ pointer }: DocumentedOperation, { type }: Media): string {
  return `${pointer}/requestBody/content/${type.replaceAll("/", "~1")}/schema`;
}

/** An address takes `.` and `..` for steps, however they are written. */
function fill(template: string, path: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name] ?? "";
    return /^\.{1,2}$/.test(value) ? "x" : encodeURIComponent(value);
  });
}

function printable(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(/[^ -~]/g, "?")]));
}
