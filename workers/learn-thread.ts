/** The thread that `learn` starts: steps back first, then loads what it needs, so that loading too gives way to requests. */
import os from "node:os";
import process from "node:process";

letOthersFirst();
await import("./read-and-train.ts");

/**
 * Lowers the priority of this thread, so that where there are fewer processors than work the requests of the same process
 * go first. Only Linux has priorities of threads: there, 0 means the calling thread, not its process (setpriority(2), "C
 * library/kernel differences"); elsewhere the server would be slowed down as well.
 */
function letOthersFirst(): void {
  if (process.platform === "linux") os.setPriority(0, os.constants.priority.PRIORITY_BELOW_NORMAL);
}
