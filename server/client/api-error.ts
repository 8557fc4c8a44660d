/** A call that did not succeed. `message` says what was tried, what was found and what would work. */
export class ApiError extends Error {
  override name = "ApiError";
  /** HTTP status; 0: there was no answer. */
  readonly status: number;
  /**
   * Stable: the server's own (`not_found`, `stale_version`, ...; below /ofrep OpenFeature's), or ours: `unreachable`,
   * `timeout`, `unreadable` (not the JSON that was expected), `error` (something between us and the server refused).
   */
  readonly code: string;
  /** Dotted path of the field at fault, when there is one. */
  readonly field: string | undefined;
  /** Milliseconds the server asks to wait; undefined: it does not say. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { readonly field?: string; readonly retryAfter?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.status = status;
    this.code = code;
    this.field = more.field;
    this.retryAfter = more.retryAfter;
  }
}

/** The error an answer stands for. `text`: its body. */
export function refusal(response: Pick<Response, "status" | "headers">, text: string): ApiError {
  const { status, headers } = response;
  const retryAfter = waitOf(headers.get("retry-after"));
  const { detail, errorCode, errorDetails } = fieldsOf(text);
  if (typeof errorCode === "string") return new ApiError(status, errorCode, String(errorDetails), { retryAfter });
  const { code, message, field } = objectOf(detail);
  if (typeof code === "string" && typeof message === "string")
    return new ApiError(status, code, message, { retryAfter, ...(typeof field === "string" ? { field } : {}) });
  const words = typeof detail === "string" ? detail : `The server answered ${status}: ${text.slice(0, 200)}`;
  return new ApiError(status, "error", words, { retryAfter });
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {}; // Something between us and the server answered.
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Seconds, or a date. */
function waitOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
