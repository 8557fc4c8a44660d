import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";

/** The product as `npm start` runs it: server and worker in one process. */
export interface Product {
  readonly url: string;
  /** Everything it said on stderr so far. */
  readonly stderr: () => string;
  /** True until the process has ended, for whatever reason. */
  readonly running: () => boolean;
  /** Has it read its plugins again; nobody tells when it has. */
  reload(): void;
  /** Stops it in order; resolves to its exit code, or the signal that ended it. */
  stop(): Promise<number | string>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** Starts it on a free port and resolves when it serves. It has these environment variables and a PATH, no others. */
export async function startProduct(environment: Readonly<Record<string, string>>): Promise<Product> {
  const child: ChildProcess = spawn(process.execPath, ["workers/main.ts", "--serve"], {
    env: { PATH: process.env.PATH, PORT: "0", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const url = await new Promise<string>((resolve, reject) => {
    let stdout = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
      const found = /http:\/\/\S+/.exec(stdout)?.[0];
      if (found !== undefined) resolve(found);
    });
    void exited.then(() => reject(new Error(`The server ended before it served: ${stderr}`)));
  });
  return {
    url,
    stderr: () => stderr,
    running: () => child.exitCode === null && child.signalCode === null,
    reload: () => void child.kill("SIGUSR2"),
    async stop() {
      child.kill("SIGTERM");
      const [code, signal] = await exited;
      return code ?? signal ?? "ended";
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
