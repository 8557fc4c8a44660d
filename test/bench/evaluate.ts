import { type Contender, growthbook, ours, unleash } from "./contenders.ts";
import { interleave } from "./interleave.ts";
import { benchLocal } from "./local.ts";
import { modelDecision } from "./model-decision.ts";
import type { Row } from "./row.ts";
import { USERS } from "./workload.ts";

type Name = "ours" | "unleash" | "growthbook";
type Contenders = Readonly<Record<Name, Contender>>;

const PEERS = { unleash: "unleash-client", growthbook: "@growthbook/growthbook" } as const;

/** In-process decisions beside the peers that install from npm. Answers are compared first: all do the same work. */
export async function benchEvaluate(): Promise<Row[]> {
  const few = await contendersWith(100);
  const many = await contendersWith(1000);
  check(few);

  const single = await measure(few, (contender) => askEach(contender, "rollout"), USERS.length * 20);
  const rules = await measure(few, (contender) => askEach(contender, "five-rules"), USERS.length * 20);
  const hundred = await measure(few, (contender) => askAllOf(contender, 200), 200);
  const thousand = await measure(many, (contender) => askAllOf(contender, 20), 20);
  const huge = ours(10_000);
  const scale = await interleave(
    { hundred: () => askAllOf(few.ours, 200), tenThousand: () => askAllOf(huge, 2) },
    { operations: 1 },
  );
  const { users, byModel, byHash } = modelDecision();
  const learned = await interleave(
    { model: () => count(users, byModel), hash: () => count(users, byHash) },
    { operations: users * 20 },
  );
  for (const contender of [...Object.values(few), ...Object.values(many)]) contender.close();

  // The two single features are decided with all others.
  const perFeature = { few: scale.hundred / (200 * (100 + 2)), many: scale.tenThousand / (2 * (10_000 + 2)) };
  return [
    versus("25 % rollout by user", single, "unleash", 3),
    versus("25 % rollout by user", single, "growthbook"),
    versusBest("five rules, the last matches", rules, 6),
    versusBest("all of 100 features", hundred, 5),
    versusBest("all of 1,000 features", thousand, 5),
    {
      what: "a feature among 10,000, to one among 100",
      ours: time(perFeature.many),
      other: `${time(perFeature.few)} (ours, 100)`,
      ratio: perFeature.many / perFeature.few,
      target: { atMost: 1.5 },
    },
    {
      what: "a logistic decision on 12 attributes",
      ours: time(learned.model),
      other: `${time(learned.hash)} (ours, 25 % rollout)`,
      ratio: learned.model / learned.hash,
      target: { atMost: 3 },
    },
    ...(await benchLocal()),
  ];
}

async function contendersWith(count: number): Promise<Contenders> {
  return { ours: ours(count), unleash: await unleash(count), growthbook: growthbook(count) };
}

/** Throws unless every contender gives about the shares the features ask for. */
function check(contenders: Contenders): void {
  for (const [feature, share] of [
    ["rollout", 0.25],
    ["five-rules", 0.5],
  ] as const)
    for (const [name, contender] of Object.entries(contenders)) {
      const on = USERS.filter((_, user) => contender.ask(feature, user)).length / USERS.length;
      if (Math.abs(on - share) > 0.06)
        throw new Error(`${name} switches ${feature} on for ${on * 100} % of the users, not about ${share * 100} %`);
    }
}

function measure(contenders: Contenders, work: (contender: Contender) => number, operations: number) {
  return interleave(
    {
      ours: () => work(contenders.ours),
      unleash: () => work(contenders.unleash),
      growthbook: () => work(contenders.growthbook),
    },
    { operations },
  );
}

function askEach(contender: Contender, feature: string): number {
  return count(USERS.length, (user) => contender.ask(feature, user));
}

function count(users: number, ask: (user: number) => boolean): number {
  let on = 0;
  for (let pass = 0; pass < 20; pass += 1) for (let user = 0; user < users; user += 1) if (ask(user)) on += 1;
  return on;
}

function askAllOf(contender: Contender, users: number): number {
  let on = 0;
  for (let user = 0; user < users; user += 1) on += contender.askAll(user);
  return on;
}

function versusBest(what: string, times: Record<Name, number>, target: number): Row {
  return versus(what, times, times.unleash < times.growthbook ? "unleash" : "growthbook", target);
}

function versus(what: string, times: Record<Name, number>, peer: keyof typeof PEERS, target?: number): Row {
  return {
    what,
    ours: time(times.ours),
    other: `${time(times[peer])} (${PEERS[peer]})`,
    ratio: times[peer] / times.ours,
    ...(target === undefined ? {} : { target: { atLeast: target } }),
  };
}

function time(nanoseconds: number): string {
  if (nanoseconds < 10_000) return `${nanoseconds.toFixed(0)} ns`;
  return nanoseconds < 1e7 ? `${(nanoseconds / 1e3).toFixed(1)} us` : `${(nanoseconds / 1e6).toFixed(1)} ms`;
}
