import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export interface ServerProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a program of this project in a process of its own, on a free port, and waits until it prints its URL. */
async function startProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ServerProcess> {
  const child: ChildProcess = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  process.once("exit", () => child.kill("SIGTERM"));
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\/\/\S+/.exec(text);
      if (found !== null) resolve(found[0]);
    });
    void exited.then(() => reject(new Error(`${args.join(" ")} ended before it served`)));
  });
  return {
    url,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

export function startBare(): Promise<ServerProcess> {
  return startProcess(["test/bench/bare-hono.ts"], {});
}

/** The product as `npm start` runs it, on an embedded PostgreSQL of its own that is thrown away afterwards. */
export async function startProduct(environment: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const directory = await mkdtemp(join(tmpdir(), "aff-bench-"));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const settings = { PORT: "0", DATA_DIR: directory, LOG_LEVEL: "warning", ...environment };
    const server = await startProcess(["workers/main.ts", "--serve"], settings);
    return { url: server.url, stop: () => server.stop().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
