import process from "node:process";
import { configureSync, getJsonLinesFormatter, type LogLevel, type LogRecord } from "@logtape/logtape";
import { trace } from "@opentelemetry/api";
import { tracing } from "./tracing.ts";

/**
 * Every logger writes JSON Lines to stderr (or to `write`), with the trace's id while a span is active. Passwords in URLs,
 * bearer tokens and properties that are named like secrets are blanked, and rows that errors quote are left out, whoever
 * logged them.
 */
export function configureLogging(
  level: Extract<LogLevel, "debug" | "info" | "warning" | "error">,
  write: (line: string) => void = (line) => process.stderr.write(line),
): void {
  const format = getJsonLinesFormatter({ properties: "flatten" });
  configureSync({
    reset: true,
    sinks: { lines: (record) => write(withoutCredentials(format(withTrace(blanked(record))))) },
    loggers: [
      { category: [], lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["lines"] },
    ],
  });
}

function withTrace(record: LogRecord): LogRecord {
  const span = tracing.enabled ? trace.getActiveSpan() : undefined;
  if (span === undefined) return record;
  const { traceId, spanId } = span.spanContext();
  return { ...record, properties: { ...record.properties, trace_id: traceId, span_id: spanId } };
}

const SECRET_NAME = /secret|password|authorization|api_?key|issuer_?key|^token$|_token$|cookie/i;

/** Also renders the message from the blanked properties; LogTape's own rendering has the originals, quoted. */
function blanked(record: LogRecord): LogRecord {
  const blank = ([name, value]: [string, unknown]) => {
    if (SECRET_NAME.test(name)) return [name, "***"];
    return [name, value instanceof Error ? bare(value) : value];
  };
  const properties: Record<string, unknown> = Object.fromEntries(Object.entries(record.properties).map(blank));
  const { rawMessage } = record;
  if (typeof rawMessage !== "string") return { ...record, properties };
  const message = rawMessage.replace(/\{(\w+)\}/g, (placeholder, name: string) =>
    Object.hasOwn(properties, name) ? inWords(properties[name]) : placeholder,
  );
  return { ...record, properties, message: [message] };
}

/** What an error says and where; not PostgreSQL's `detail`, `where` and the like, which quote the row: somebody's attributes. */
function bare(error: Error): BareError {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const said = typeof code === "string" && /^22...$/.test(code) ? message.replace(/"[\s\S]*"/, '"***"') : message;
  return {
    ...{ name, message: said, stack: stack?.replaceAll(message, said), [BARE]: true },
    ...(typeof code === "string" ? { code } : {}),
    ...(cause instanceof Error ? { cause: bare(cause) } : {}),
  };
}

/** Marks what was an error. A symbol, so that it is not printed. */
const BARE = Symbol("error");

interface BareError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: string;
  readonly cause?: BareError;
  readonly [BARE]: true;
}

function inWords(value: unknown): string {
  if (typeof value === "object" && value !== null && BARE in value) return (value as BareError).message;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}

function withoutCredentials(line: string): string {
  return line.replace(/(:\/\/[^:/@\s"]*):[^/\s"]+@/g, "$1:***@").replace(/\b(Bearer\s+)[\w.~+/-]+=*/gi, "$1***");
}
