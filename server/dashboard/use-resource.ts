import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import { environment, signedOut } from "./session.ts";

export interface Resource<Value> {
  /** The last that was read: kept while it is read again, and when that fails. */
  readonly value: Value | undefined;
  readonly error: ApiError | undefined;
  reload(): void;
}

export interface ResourceOptions {
  /** Milliseconds between two reads while the page is seen. Default: once. */
  readonly every?: number;
}

/** Tried again after so many milliseconds while the server cannot be reached. */
const RETRY = 3_000;

/** Reads what `key` names, again when it changes; undefined: nothing yet. */
export function useResource<Value>(
  key: string | undefined,
  read: (signal: AbortSignal) => Promise<Value>,
  { every }: ResourceOptions = {},
): Resource<Value> {
  const inEnvironment = key === undefined ? undefined : `${environment.value} ${key}`;
  const [state, setState] = useState<{ key?: string | undefined; value?: Value; error?: ApiError }>({});
  const [turn, setTurn] = useState(0);
  // Nobody is asked in vain; whoever signs in again finds everything read anew.
  const away = signedOut.value !== undefined;
  const latest = useRef(read);
  latest.current = read;

  useEffect(() => {
    if (inEnvironment === undefined || away) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (ms: number) => {
      timer = setTimeout(() => (document.hidden ? again(ms) : load()), ms);
    };
    const load = () =>
      latest.current(controller.signal).then(
        (value) => {
          if (controller.signal.aborted) return;
          setState({ key: inEnvironment, value });
          if (every !== undefined) again(every);
        },
        (cause: unknown) => {
          if (controller.signal.aborted) return;
          const error = cause instanceof ApiError ? cause : new ApiError(0, "error", String(cause));
          setState((before) => (before.key === inEnvironment ? { ...before, error } : { key: inEnvironment, error }));
          if (error.status === 0 || error.status === 503 || every !== undefined) again(every ?? RETRY);
        },
      );
    load();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [inEnvironment, turn, every, away]);

  const current = state.key === inEnvironment ? state : {};
  return { value: current.value, error: current.error, reload: () => setTurn((before) => before + 1) };
}
