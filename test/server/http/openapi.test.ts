import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OpenApiDocument } from "../../../server/http/openapi.ts";
import type { Response as Answer } from "../../../server/http/operation.ts";
import { type DocumentedApi, type DocumentedOperation, documentedApi } from "../../support/documented-api.ts";
import { startTestServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let document: OpenApiDocument;
let api: DocumentedApi;

beforeAll(async () => {
  server = await startTestServer();
  document = (await server.call("GET", "/openapi.json")).body;
  api = documentedApi(document);
});
afterAll(() => server.close());

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  expect(await validator.validate({ ...document })).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
});

test("the document refers to nothing it does not have", () => {
  const text = JSON.stringify(document);
  const { securitySchemes: _, ...components } = document.components;
  const present = Object.entries(components).flatMap(([kind, named]) =>
    Object.keys(named).map((name) => `${kind}/${name}`),
  );
  const referred = new Set([...text.matchAll(/"#\/components\/([^"]+)"/g)].map(([, name = ""]) => name));
  expect([...referred].filter((name) => !present.includes(name))).toEqual([]);
  expect(text).not.toContain("#/$defs/");
});

describe("every operation", () => {
  test("has a name of its own, a summary and a tag that is described", () => {
    const tags = document.tags.map(({ name }) => name);
    const ids = api.operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, operationId, summary, tags: own } of api.operations) {
      expect([name, operationId]).toEqual([name, expect.stringMatching(/^[a-z]+([A-Z][a-z]+)*$/)]);
      expect([name, summary]).toEqual([name, expect.stringMatching(/.{10}/)]);
      expect([name, own?.length, tags.includes(own?.[0] ?? "")]).toEqual([name, 1, true]);
    }
  });

  test("has examples of what it takes and answers, which are what its schemas say", () => {
    const wrong = api.operations.flatMap((operation) => examplesOf(operation).flatMap(wrongWith));
    expect(wrong).toEqual([]);
  });

  test("says whether it needs a token, and takes each kind of it", () => {
    const schemes = Object.keys(document.components.securitySchemes);
    expect(schemes).toEqual(["bearer", "api_key", "session"]);
    const all = [{}, ...schemes.map((name) => ({ [name]: [] }))];
    const open = api.operations.filter(({ name, security }) => {
      expect([name, security]).toEqual([name, security.length === 0 ? [] : all]);
      return security.length === 0;
    });
    expect(open.map(({ name }) => name)).toContain("GET /health");
    expect(open.map(({ name }) => name)).not.toContain("POST /evaluate");
  });
});

test("with authentication, nobody may do without a token", async () => {
  const secrets = { AUTH_JWT_SECRET: "a secret of at least 32 characters", AUTH_ISSUER_KEY: "the issuer's own key" };
  const guarded = await startTestServer({ settings: { AUTH_ENABLED: "true", ...secrets } });
  const { body } = await guarded.call("GET", "/openapi.json");
  await guarded.close();
  expect(documentedApi(body).find("POST /evaluate").security).toEqual([
    { bearer: [] },
    { api_key: [] },
    { session: [] },
  ]);
});

test("the settings of every strategy are a component, and what a step's config may be", () => {
  const { schemas } = document.components;
  const configs = ["RuleFiltersConfig", "HashBucketingConfig", "MlModelConfig", "BanditConfig"];
  expect(schemas.StepConfig?.anyOf).toEqual(configs.map((name) => ({ $ref: `#/components/schemas/${name}` })));
  for (const name of configs) expect(schemas[name]).toMatchObject({ type: "object", title: expect.any(String) });
  const arms = [{ variant: "on", weight: 100 }];
  expect(api.misfits("/components/schemas/StepConfig", { arms })).toEqual([]);
  expect(api.misfits("/components/schemas/StepConfig", { arms: [{ variant: "on", weight: "all" }] })).not.toEqual([]);
});

test("a condition is described as deep as it goes", () => {
  const condition = { all: [{ attribute: "/plan", op: "in", value: ["pro"] }, { not: { gate: { percentage: 5 } } }] };
  const at = "/components/schemas/Condition";
  expect(api.misfits(at, condition)).toEqual([]);
  expect(api.misfits(at, { all: [{ attribute: "/plan", op: "in", value: ["pro"], or: true }] })).not.toEqual([]);
  expect(api.misfits(at, { all: [{ not: { gate: { percentage: 101 } } }] })).not.toEqual([]);
});

/** Of the base contract, which clients of its original rely on. */
test("the routes that were there first are there", () => {
  for (const name of [
    "GET /",
    "GET /health",
    "GET /docs",
    "GET /openapi.json",
    "POST /features",
    "GET /features",
    "GET /features/{feature}",
    "PUT /features/{feature}",
    "DELETE /features/{feature}",
    "POST /events",
    "GET /events",
    "POST /ingest/events",
    "POST /evaluate",
    "POST /train",
    "POST /train/async",
    "GET /train/jobs",
    "GET /train/jobs/{job_id}",
    "GET /model/status",
    "GET /model/runs",
    "POST /simulate",
    "POST /experiments",
    "GET /experiments",
    "GET /experiments/{id}/result",
    "GET /metrics",
    "POST /auth/token",
    "POST /ofrep/v1/evaluate/flags/{key}",
    "POST /ofrep/v1/evaluate/flags",
    "GET /ofrep/v1/streams/{environment}",
  ])
    expect(api.find(name).name).toBe(name);
});

interface DocumentedParameter {
  readonly required?: boolean;
  readonly example?: unknown;
  readonly schema: { readonly examples?: readonly unknown[] };
}

interface Example {
  /** Where it is an example, as a JSON pointer into the document. */
  readonly at: string;
  readonly value: unknown;
}

/** Of the required parameters, the body and every answer; a value of undefined is one that is missing. */
function examplesOf({ pointer, parameters = [], requestBody, responses }: DocumentedOperation): Example[] {
  const stated = parameters.flatMap((parameter, index) => {
    const { example, schema, required } = api.resolve(parameter) as DocumentedParameter;
    const value = example ?? schema.examples?.[0];
    if (value === undefined && !required) return [];
    return "$ref" in parameter ? [] : [{ at: `${pointer}/parameters/${index}/schema`, value }];
  });
  const answers = Object.entries(responses).flatMap(([status, answer]) =>
    "$ref" in answer
      ? inContent(answer.$ref.slice(1), api.resolve<object>(answer) as Answer)
      : inContent(`${pointer}/responses/${status}`, answer),
  );
  return [...stated, ...inContent(`${pointer}/requestBody`, requestBody ?? {}), ...answers];
}

/** Pages and their parts need no example. */
const NEED_NONE = /^(text\/(html|css|javascript|plain)|image\/)/;

function inContent(at: string, { content = {} }: Pick<Answer, "content">): Example[] {
  return Object.entries(content)
    .filter(([type]) => !NEED_NONE.test(type))
    .map(([type, { example }]) => ({ at: `${at}/content/${type.replaceAll("/", "~1")}/schema`, value: example }));
}

function wrongWith({ at, value }: Example): string[] {
  if (value === undefined) return [`${at} has no example`];
  return api.misfits(at, value).map((misfit) => `${at}: ${misfit}`);
}
