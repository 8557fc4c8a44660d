/**
 * node test/conformance/ofrep/run.ts http://127.0.0.1:8000 [Header:value ...]
 *
 * Checks an OFREP server that has the flags of flags.json, prints what it found, and exits 1 when a case failed.
 */
import process from "node:process";
import { checkServer } from "./check-server.ts";

const [baseUrl, ...pairs] = process.argv.slice(2);
if (baseUrl === undefined) throw new Error("Name the server: node test/conformance/ofrep/run.ts http://127.0.0.1:8000");
const headers = Object.fromEntries(pairs.map((pair) => [pair.split(":")[0] ?? "", pair.replace(/^[^:]*: */, "")]));
const results = await checkServer(baseUrl, pairs.length === 0 ? {} : { headers });
for (const { suite, name, outcome, detail } of results)
  process.stdout.write(`${outcome.padEnd(8)}${suite}: ${name}${detail === undefined ? "" : `\n        ${detail}`}\n`);
const count = (outcome: string) => results.filter((result) => result.outcome === outcome).length;
process.stdout.write(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped\n`);
process.exitCode = count("failed") === 0 ? 0 : 1;
