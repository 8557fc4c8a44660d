/** Somebody with something left to send. */
export interface Sender {
  /** Sends it, within a few seconds; then nothing is left, one way or the other. */
  finish(): Promise<unknown>;
  /** Sends at once what a browser lets outlive a page. */
  sendLast(): unknown;
}

type Signal = "SIGINT" | "SIGTERM";
const SIGNALS: readonly Signal[] = ["SIGINT", "SIGTERM"];
const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;

const senders = new Set<Sender>();
/** A signal has come: the next one is not ours, whatever is tracked meanwhile. */
let ending = false;

/**
 * Has the sender asked before this process or page ends: when a process has nothing else to do, on SIGINT and SIGTERM, and
 * when a page is hidden or left. Nothing can be sent after `process.exit()`, a crash or SIGKILL.
 *
 * @returns what ends it; process and page are left alone while there is no sender
 */
export function sendBeforeTheEnd(sender: Sender): () => void {
  if (senders.size === 0) hook();
  senders.add(sender);
  return () => {
    if (senders.delete(sender) && senders.size === 0) unhook();
  };
}

const finishAll = () => Promise.all([...senders].map((sender) => sender.finish()));

/** The event loop is empty; sending fills it again, and afterwards no sender is left. */
function onBeforeExit(): void {
  void finishAll();
}

/**
 * A signal still ends the process: it is given again once nobody waits, unless the program has a listener of its own, which then
 * is to end it. The second Ctrl-C ends it at once.
 */
function onSignal(signal: Signal): void {
  const { process } = host;
  if (process === undefined) return;
  ending = true;
  for (const each of SIGNALS) process.off?.(each, onSignal);
  const alone = process.listenerCount(signal) === 0;
  void finishAll().then(() => {
    if (!alone) return;
    try {
      process.kill(process.pid, signal);
    } catch {
      process.exit(128 + NUMBERS[signal]); // Deno asks for a permission.
    }
  });
}

function onHide(): void {
  if (host.document === undefined || host.document.visibilityState === "hidden") sendAll();
}

function sendAll(): void {
  for (const sender of senders) sender.sendLast();
}

/** What is there of it depends on where this runs. */
const host = globalThis as unknown as {
  readonly process?: Pick<NodeJS.Process, "kill" | "pid" | "exit" | "listenerCount"> & {
    on?(event: string, listener: (signal: Signal) => void): unknown;
    off?(event: string, listener: (signal: Signal) => void): unknown;
  };
  readonly document?: Pick<EventTarget, "addEventListener" | "removeEventListener"> & {
    readonly visibilityState: string;
  };
} & Pick<EventTarget, "addEventListener" | "removeEventListener">;

function hook(): void {
  if (host.document !== undefined) {
    host.document.addEventListener("visibilitychange", onHide);
    host.addEventListener("pagehide", sendAll);
    return;
  }
  host.process?.on?.("beforeExit", onBeforeExit);
  if (!ending) for (const signal of SIGNALS) host.process?.on?.(signal, onSignal);
}

function unhook(): void {
  if (host.document !== undefined) {
    host.document.removeEventListener("visibilitychange", onHide);
    host.removeEventListener("pagehide", sendAll);
    return;
  }
  host.process?.off?.("beforeExit", onBeforeExit);
  for (const signal of SIGNALS) host.process?.off?.(signal, onSignal);
}
