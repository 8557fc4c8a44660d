import type { Decision } from "../../core/decision/decision.ts";
import { toDefinition } from "../../core/feature/to-definition.ts";
import { builtIn } from "../../plugins/built-in.ts";
import { createLocalEvaluation, type LocalEvaluation } from "../../server/client/local-evaluation.ts";
import type { ServedSnapshot } from "../../server/http/routes/snapshot.ts";
import { unleash } from "./contenders.ts";
import { interleave } from "./interleave.ts";
import type { Row } from "./row.ts";
import { rollout, USERS } from "./workload.ts";

const PASSES = 20;
/** Users of a round of which each is new. */
const NEW = 20_000;

/**
 * Local evaluation as an application has it, exposures and all, beside unleash-client with its metrics switched off: for users
 * who come again, as most do, and for users none of whom was seen before, whose exposures are written and sent as well.
 */
export async function benchLocal(): Promise<Row[]> {
  const local = createLocalEvaluation({ url: "http://127.0.0.1:1", fetch: server });
  await local.ready();
  const peer = await unleash(0);
  check(local, peer.ask);

  const known = await interleave(
    { ours: () => countKnown((user) => isOn(local, ASKED[user] as Asked)), unleash: () => countKnown(askPeer) },
    { operations: USERS.length * PASSES },
  );
  let round = 0;
  const fresh = await interleave(
    {
      ours: async () => {
        round += 1;
        for (let user = 0; user < NEW; user += 1) isOn(local, { user_id: `user-${round}-${user}` });
        await local.flush();
      },
      unleash: () => {
        for (let user = 0; user < NEW; user += 1) askPeer(user % USERS.length);
      },
    },
    { operations: NEW },
  );
  const { dropped } = local.state.exposures;
  if (dropped > 0) throw new Error(`${dropped} exposures were dropped: what was measured is not what was asked for`);
  await local.close();
  peer.close();
  return [
    versus("local evaluation, 25 % rollout by user", known, 1),
    versus("the same, every user for the first time", fresh),
  ];

  function askPeer(user: number): boolean {
    return peer.ask("rollout", user);
  }
}

type Asked = Parameters<LocalEvaluation["evaluate"]>[1];
const ASKED = USERS as readonly object[] as readonly Asked[];

function isOn(local: LocalEvaluation, user: Asked): boolean {
  return (local.evaluate("rollout", user) as Decision).enabled;
}

function countKnown(ask: (user: number) => boolean): number {
  let on = 0;
  for (let pass = 0; pass < PASSES; pass += 1)
    for (let user = 0; user < USERS.length; user += 1) if (ask(user)) on += 1;
  return on;
}

/** Throws unless both give about a quarter. */
function check(local: LocalEvaluation, ask: (feature: string, user: number) => boolean): void {
  for (const [name, on] of [
    ["local evaluation", ASKED.filter((user) => isOn(local, user)).length],
    ["unleash-client", USERS.filter((_, user) => ask("rollout", user)).length],
  ] as const)
    if (Math.abs(on / USERS.length - 0.25) > 0.06)
      throw new Error(`${name} switches the rollout on for ${on} of ${USERS.length} users, not for about a quarter`);
}

const AT = "2026-11-01T00:00:00.000Z";

/** What a server answers, without the server: it would run on another machine. */
const server: typeof fetch = async (input, init) => {
  const { pathname } = new URL(String(input));
  if (pathname === "/snapshot") return Response.json(snapshot());
  if (pathname === "/exposures") return Response.json({ saved_exposures: 0, rejections: [] }, { status: 201 });
  const silent = new ReadableStream({
    start: (controller) => init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason)),
  });
  return new Response(silent, { headers: { "Content-Type": "text/event-stream" } });
};

function snapshot(): ServedSnapshot {
  const strategies = new Map(builtIn.map((strategy) => [strategy.id, strategy]));
  const stored = { id: 1, environment: "production", version: 1, created_at: AT, updated_at: AT };
  const features = [{ ...toDefinition(rollout("rollout"), { strategies }), ...stored }];
  const rest = { segments: [], models: [], experiments: [] };
  return { contract: 1, etag: '"1"', environment: "production", revision: 1, features, ...rest };
}

function versus(what: string, times: Record<"ours" | "unleash", number>, target?: number): Row {
  return {
    what,
    ours: time(times.ours),
    other: `${time(times.unleash)} (unleash-client)`,
    ratio: times.unleash / times.ours,
    ...(target === undefined ? {} : { target: { atLeast: target } }),
  };
}

function time(nanoseconds: number): string {
  return `${nanoseconds.toFixed(0)} ns, ${(1e3 / nanoseconds).toFixed(1)} M/s`;
}
