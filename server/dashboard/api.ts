import { environment, online, signedOut } from "./session.ts";

/** The server refused, or could not be reached (status 0). `message` says what would work. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  constructor(status: number, code: string, message: string, field?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

export interface CallOptions {
  /** Why, for the history. */
  readonly reason?: string | undefined;
  /** The version that was read: the write is refused when another came between. */
  readonly version?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly accept?: string | undefined;
  /** Of a stream: the event last heard. */
  readonly lastId?: string | undefined;
}

/** Calls the public API. @throws ApiError */
export async function call<Answer>(method: string, path: string, body?: unknown, options: CallOptions = {}) {
  const response = await send(method, path, body, options);
  const text = await response.text();
  if (!response.ok) throw refusal(response.status, text);
  return (text === "" ? undefined : JSON.parse(text)) as Answer;
}

export const get = <Answer>(path: string, signal?: AbortSignal) => call<Answer>("GET", path, undefined, { signal });

/** The answer as it comes, for streams and uploads. */
export async function send(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Response> {
  const { reason, version, signal, accept, lastId } = options;
  const headers = {
    ...(body === undefined || body instanceof FormData ? {} : { "Content-Type": "application/json" }),
    ...(environment.value === "production" ? {} : { "X-Environment": environment.value }),
    ...(reason === undefined || reason === "" ? {} : { "X-Reason": headerText(reason) }),
    ...(version === undefined ? {} : { "If-Match": `"${version}"` }),
    ...(accept === undefined ? {} : { Accept: accept }),
    ...(lastId === undefined ? {} : { "Last-Event-ID": lastId }),
  };
  try {
    const response = await fetch(path, {
      method,
      headers,
      signal: signal ?? null,
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    online.value = true;
    // Whoever is signing in is told in the form.
    if (response.status === 401 && path !== "/session")
      signedOut.value ??= (await response.clone().text()).includes("token_expired") ? "ended" : "nobody";
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    online.value = false;
    const then =
      method === "GET"
        ? "This page tries again by itself."
        : "Look whether it was done, and try again, when it is back.";
    throw new ApiError(0, "unreachable", `The server cannot be reached. ${then}`);
  }
}

/** Header values are Latin-1: anything else would make fetch throw. */
function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\xa0-\xff]/g, "?").slice(0, 500);
}

/** What the body of an answer says against the call. */
export function refusal(status: number, text: string): ApiError {
  let detail: unknown;
  try {
    detail = (JSON.parse(text) as { detail?: unknown }).detail;
  } catch {
    detail = undefined; // something between us and the server answered
  }
  if (typeof detail === "object" && detail !== null && "code" in detail && "message" in detail)
    return new ApiError(
      status,
      String(detail.code),
      detail.code === "token_expired" ? ENDED : String(detail.message),
      "field" in detail ? String(detail.field) : undefined,
    );
  return new ApiError(status, "error", typeof detail === "string" ? detail : `The server answered ${status}.`);
}

const ENDED = "Nothing was done, because your session has ended: sign in and try again.";
