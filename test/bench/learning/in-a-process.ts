import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";

/** Runs a file of this folder in a process of its own, so that its peak of memory is its own, and parses what it prints. */
export async function inAProcess<Result>(file: string, args: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [new URL(file, import.meta.url).pathname, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  const said = await text(child.stdout);
  const [code, signal] = await exited;
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code ?? signal}: ${said}`);
  return JSON.parse(said) as Result;
}

/** The most memory this process has had so far, megabytes. */
export function peakMegabytes(): number {
  return process.resourceUsage().maxRSS / 1024;
}
