import { getLogger, resetSync } from "@logtape/logtape";
import { context, trace } from "@opentelemetry/api";
import { StackContextManager } from "@opentelemetry/sdk-trace";
import { afterEach, describe, expect, it } from "vitest";
import { configureLogging } from "../../../server/telemetry/configure-logging.ts";
import { tracing } from "../../../server/telemetry/tracing.ts";

function logTo(lines: string[], level: "debug" | "info" | "warning" | "error" = "info") {
  configureLogging(level, (line) => lines.push(line));
  return getLogger(["adaptive", "test"]);
}

afterEach(() => resetSync());

describe("configureLogging()", () => {
  it("writes one JSON line a record, from the level on", () => {
    const lines: string[] = [];
    const log = logTo(lines);
    log.debug("not this");
    log.info("{count} events of {who}", { count: 3, who: "a\nb" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]*\n$/);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      ...{ level: "INFO", logger: "adaptive.test", message: "3 events of a\nb", count: 3, who: "a\nb" },
    });
  });

  it("writes what an error says", () => {
    const lines: string[] = [];
    logTo(lines).error("Failed: {error}", { error: new RangeError("too many") });
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      message: "Failed: too many",
      error: { name: "RangeError", message: "too many" },
    });
  });

  it("blanks secrets, in properties, messages, URLs and headers", () => {
    const lines: string[] = [];
    const secret = "s3cr3t-value";
    const log = logTo(lines);
    log.info("{password} {token} {issuer_key} {AUTH_JWT_SECRET}", {
      ...{ password: secret, token: secret, issuer_key: secret, AUTH_JWT_SECRET: secret },
    });
    log.info("{url}", { url: `postgres://aff:${secret}@db.example/aff` });
    log.error("{error}", { error: new Error(`connect to postgres://aff:${secret}@db.example failed`) });
    log.info("{header}", { header: `Authorization: Bearer ${secret}` });
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).not.toContain(secret);
    expect(lines[1]).toContain("postgres://aff:***@db.example/aff");
  });

  it("leaves out the row that a database's error quotes, and the value its message quotes", () => {
    const lines: string[] = [];
    const log = logTo(lines);
    const detail = { detail: "Failing row contains (ada@example.com)", code: "23514" };
    log.error("Refused: {error}", { error: Object.assign(new Error("violates a constraint"), detail) });
    const value = 'invalid input syntax for type bigint: "ada@example.com"';
    log.error("Refused: {error}", { error: Object.assign(new Error(value), { code: "22P02" }) });
    expect(lines.join("")).not.toContain("ada@example.com");
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({
      message: 'Refused: invalid input syntax for type bigint: "***"',
      error: { name: "Error", code: "22P02" },
    });
  });

  it("names the trace while a span is active", () => {
    const lines: string[] = [];
    const log = logTo(lines);
    const spanContext = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
    context.setGlobalContextManager(new StackContextManager().enable());
    tracing.enabled = true;
    try {
      context.with(trace.setSpan(context.active(), trace.wrapSpanContext(spanContext)), () => log.info("inside"));
      log.info("outside");
    } finally {
      tracing.enabled = false;
      context.disable();
    }
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ trace_id: spanContext.traceId, span_id: spanContext.spanId });
    expect(JSON.parse(lines[1] ?? "")).not.toHaveProperty("trace_id");
  });
});
