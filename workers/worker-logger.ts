import { getLogger } from "@logtape/logtape";
import { Logger } from "graphile-worker";

/**
 * graphile-worker's log lines, quietly: what it calls an error is mostly a database that is away for a moment, which it
 * gets over by itself, and a failed task has been logged where it failed.
 */
export function workerLogger(): Logger {
  const log = getLogger(["adaptive", "worker", "queue"]);
  return new Logger(() => (level, message) => {
    if (level === "error") log.warning("{message}", { message: message.split("\n", 1)[0] });
    else log.debug("{message}", { message });
  });
}
