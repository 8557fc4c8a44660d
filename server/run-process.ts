import process from "node:process";

/** Something that was started and can be stopped in order. */
export interface Stoppable {
  close(): Promise<void>;
  /** SIGUSR2. Never rejects. Default: the signal does nothing. */
  reload?(): Promise<void>;
}

/** How long an orderly stop may take before the process ends anyway. */
const STOP_TIMEOUT = 20_000;
/** npm forwards the signal that Ctrl-C sent to the whole group: one keystroke arrives twice, milliseconds apart. */
const SAME_SIGNAL = 500;

/**
 * Runs a process for its whole life: starts it, waits for SIGTERM or SIGINT, stops it in order and exits 0. SIGUSR2 reloads. A second
 * signal, more than half a second later, exits at once (130). A start that fails prints its message and exits 1. So does a
 * promise that nobody handled: what it left half done is unknown, and a supervisor that restarts us is safer than a limp.
 */
export function runProcess(start: () => Promise<Stoppable>): void {
  let running: Stoppable | undefined;
  let stopping: number | undefined;
  const stop = async (code: number) => {
    if (stopping !== undefined) {
      if (performance.now() - stopping > SAME_SIGNAL) process.exit(130);
      return;
    }
    stopping = performance.now();
    setTimeout(() => {
      fail(`Stopping in order took longer than ${STOP_TIMEOUT / 1000} s: ended as it was`);
      process.exit(1);
    }, STOP_TIMEOUT).unref();
    // A start that is under way is waited for, so that what it opened is closed too.
    const started = await starting;
    await started?.close();
    process.exit(code);
  };
  const starting = start().then(
    (started) => {
      running = started;
      return started;
    },
    (error: unknown) => {
      fail(error);
      process.exit(1);
    },
  );
  process.on("SIGTERM", () => void stop(0));
  process.on("SIGINT", () => void stop(0));
  // Not SIGHUP: a terminal that closes sends it, and must not leave a server behind. Before the start has ended, the plugins
  // are being read anyway.
  process.on("SIGUSR2", () => void running?.reload?.());
  // Without this an endless start would end as a success, once nothing but promises is left.
  process.on("beforeExit", () => {
    fail("Starting does not get on and has nothing left to wait for, as when a plugin awaits what never comes");
    process.exit(1);
  });
  for (const event of ["unhandledRejection", "uncaughtException"] as const)
    process.on(event, (error: unknown) => {
      // A defect, whoever's: where it came from is all there is to find it by.
      fail(error, true);
      if (running && stopping === undefined) void stop(1);
      else process.exit(1);
    });
}

function fail(error: unknown, withStack = process.env.LOG_LEVEL === "debug"): void {
  process.stderr.write(`${withStack ? stacks(error) : message(error)}\n`);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Stacks only: an error's other properties may hold an address with its password. */
function stacks(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? `${error.stack}` : `${error.stack}\nCaused by: ${stacks(error.cause)}`;
}
