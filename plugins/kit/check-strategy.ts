/**
 * The contract's test kit: what every strategy must hold, as named checks any test runner can run.
 *
 *     for (const { name, run } of checkStrategy(strategy, { configs: [{ variant: "on" }] })) test(name, run);
 *
 * `run` throws an Error that says what was asked, what was answered and what the contract wants.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { armAt, EVERYONE, NO_UNIT, OUTSIDE, placeIn } from "../../core/bucketing/compile-split.ts";
import { checkVerdict } from "../../core/engine/verdict.ts";
import type { Profile } from "../../core/event/profile.ts";
import { compileCondition } from "../../core/feature/compile-condition.ts";
import type { CompleteObjective } from "../../core/feature/objective.ts";
import type { Json } from "../../core/json.ts";
import type { Model } from "../../core/model/model.ts";
import type { Ask, Evaluator, Host, Strategy, User, Verdict } from "../../core/strategy.ts";
import { type Check, check, shown } from "./check.ts";
import { freezeDeep } from "./freeze-deep.ts";
import { ODD_USERS } from "./odd-users.ts";
import { recordReads } from "./record-reads.ts";

export interface CheckOptions {
  /** Configs as an author of features writes them. At least one; between them they should use every setting. */
  readonly configs: readonly Json[];
  /** Configs the schema must refuse. Default: none. */
  readonly refused?: readonly Json[];
  /** Users the strategy should decide for, besides ODD_USERS. Default: none. */
  readonly users?: readonly User[];
  /** Moments to ask at, in milliseconds since the epoch. Default: one. */
  readonly moments?: readonly number[];
  /** The feature to prepare for. Default: a boolean one with the variants on and off. */
  readonly feature?: Host["feature"];
  /** Default: none. */
  readonly objective?: CompleteObjective;
  /** Default: none, which every strategy must bear. */
  readonly model?: Model;
  readonly profile?: Profile;
}

export function checkStrategy<Config>(strategy: Strategy<Config>, options: CheckOptions): readonly Check[] {
  const general: readonly Check[] = [
    check("is named and summed up", () => checkShape(strategy)),
    check("describes its config as JSON Schema", () => {
      z.toJSONSchema(strategy.config, { io: "input" });
    }),
    check("answers about odd configs instead of throwing", () => checkOddConfigs(strategy)),
    check("refuses wrong configs, naming the field", () => checkRefused(strategy, options.refused ?? [])),
  ];
  const each = options.configs.flatMap((written, index) => checksOf(strategy, written, index + 1, options));
  return [...general, ...each];
}

function checksOf<Config>(
  strategy: Strategy<Config>,
  written: Json,
  number: number,
  options: CheckOptions,
): readonly Check[] {
  const subject = () => prepare(strategy, written, options);
  const about = (name: string, run: () => void | Promise<void>) => check(`config ${number}: ${name}`, run);
  return [
    about("survives being stored and completed again", () => checkRoundTrip(strategy, written, options)),
    about("serves declared variants only", () => checkVariants(subject())),
    about("gives sound verdicts to odd users", () => checkSound(subject())),
    about("gives the same ask the same verdict", () => checkSame(subject(), prepare(strategy, written, options))),
    about("leaves its input untouched", () => checkUntouched(subject())),
    about("decides the same when it explains", () => checkExplains(subject())),
    about("reads what it declares to read", () => checkReads(subject())),
    about("abstains when what it reads is odd", () => checkOdd(subject())),
    about("keeps its promise to be bounded", () => checkBounded(subject())),
    about("answers as the split it declares", () => checkSplit(subject())),
  ];
}

/** What the strategy answers with this config, about this user: for tests of what it decides. */
export async function ask<Config>(
  strategy: Strategy<Config>,
  config: Json,
  user: User,
  options: Omit<CheckOptions, "configs" | "refused" | "users"> & { readonly explain?: boolean } = {},
): Promise<Verdict> {
  const { evaluate, asks } = prepare(strategy, config, { ...options, configs: [], users: [user] });
  return contain(evaluate, { ...(asks[0] as Ask), explain: options.explain ?? false });
}

interface Subject<Config> {
  readonly strategy: Strategy<Config>;
  readonly config: Config;
  readonly evaluate: Evaluator;
  readonly feature: Host["feature"];
  readonly asks: readonly Ask[];
}

const FEATURE: Host["feature"] = {
  key: "example",
  type: "boolean",
  variants: ["on", "off"],
  off_variant: "off",
  fallback_variant: "off",
};
const ABOUT = { feature_key: "example", step_id: "example-step", first: true };

function prepare<Config>(strategy: Strategy<Config>, written: Json, options: CheckOptions): Subject<Config> {
  const feature = options.feature ?? FEATURE;
  const config = freezeDeep(completed(strategy, written, feature.key));
  const evaluate = strategy.prepare(config, {
    feature: freezeDeep(feature),
    objective: options.objective ?? null,
    model: options.model,
    challenger: undefined,
    condition: (condition) =>
      compileCondition(condition, { segment: () => undefined, offVariant: () => undefined, seed: "example#gate" }),
  });
  if (typeof evaluate !== "function") throw new Error(`prepare() returned ${typeof evaluate}, an evaluator is wanted`);
  const moments = options.moments ?? [Date.UTC(2026, 10, 30, 12)];
  const asks = [...(options.users ?? []), ...ODD_USERS].flatMap((user) =>
    // A copy each: one that writes to its ask must not spoil what the others are asked.
    moments.map(
      (now): Ask => ({
        user: structuredClone(user),
        now,
        explain: false,
        profile: options.profile,
        variantOf: () => undefined,
      }),
    ),
  );
  return { strategy, config, evaluate, feature, asks };
}

function completed<Config>(strategy: Strategy<Config>, written: Json, feature_key: string, previous?: Config): Config {
  const config = strategy.config.parse(written);
  const about = { ...ABOUT, feature_key, ...(previous === undefined ? {} : { previous }) };
  return strategy.complete?.(config, about) ?? config;
}

function checkShape<Config>({ id, contract, summary }: Strategy<Config>): void {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) throw new Error(`The id is "${id}", kebab-case is wanted`);
  if (contract !== 1) throw new Error(`The contract is ${String(contract)}, 1 is wanted`);
  if (summary.trim().length < 10) throw new Error(`The summary is "${summary}", one sentence is wanted`);
}

function checkOddConfigs<Config>(strategy: Strategy<Config>): void {
  for (const odd of [null, undefined, 0, Number.NaN, "", "text", [], [[]], true, { unheard_of: 1 }])
    try {
      strategy.config.safeParse(odd);
    } catch (error) {
      throw new Error(`The config schema threw on ${shown(odd)}: issues are wanted`, { cause: error });
    }
}

function checkRefused<Config>(strategy: Strategy<Config>, refused: readonly Json[]): void {
  for (const written of refused) {
    const { success, error } = strategy.config.safeParse(written);
    if (success) throw new Error(`The config schema took ${shown(written)}, which is to be refused`);
    for (const issue of error.issues)
      if (issue.message.trim() === "") throw new Error(`${shown(written)} is refused without a word`);
  }
}

function checkRoundTrip<Config>(strategy: Strategy<Config>, written: Json, options: CheckOptions): void {
  const key = (options.feature ?? FEATURE).key;
  const first = completed(strategy, written, key);
  const stored = JSON.parse(JSON.stringify(first)) as Json;
  same("The config changed when it was stored as JSON", stored, first);
  same("The config changed when its stored form was written again", completed(strategy, stored, key, first), first);
}

function checkVariants<Config>({ strategy, config, feature }: Subject<Config>): void {
  for (const variant of strategy.variants?.(config) ?? [])
    if (!feature.variants.includes(variant))
      throw new Error(`variants() names "${variant}", the feature has ${feature.variants.join(", ")}`);
}

async function checkSound<Config>({ strategy, config, evaluate, feature, asks }: Subject<Config>): Promise<void> {
  const declared = new Map(feature.variants.map((name) => [name, true]));
  const named = strategy.variants?.(config);
  for (const ask of asks) {
    const verdict = await contain(evaluate, ask);
    const problem = checkVerdict(verdict, declared);
    if (problem !== undefined) throw new Error(`Asked about ${shown(ask.user)}: ${problem}`);
    if (named !== undefined && "variant" in verdict && named.length > 0 && !serves(named, verdict.variant, feature))
      throw new Error(`Decided for "${verdict.variant}", variants() names only ${named.join(", ")}`);
  }
}

/** A strategy may default to the feature's own variants without naming them. */
function serves(named: readonly string[], variant: string, feature: Host["feature"]): boolean {
  return named.includes(variant) || variant === feature.off_variant || variant === feature.fallback_variant;
}

async function checkSame<Config>(one: Subject<Config>, other: Subject<Config>): Promise<void> {
  const forth = await verdicts(one.evaluate, one.asks);
  const back = await verdicts(one.evaluate, one.asks.toReversed());
  same("Asked again in another order, the verdicts differ", back.toReversed(), forth);
  same("Prepared again, the verdicts differ", await verdicts(other.evaluate, other.asks), forth);
}

async function checkUntouched<Config>({ evaluate, asks }: Subject<Config>): Promise<void> {
  for (const ask of asks) {
    const frozen = freezeDeep({ ...ask, user: structuredClone(ask.user) });
    const before = JSON.stringify(frozen.user);
    await contain(evaluate, frozen);
    if (JSON.stringify(frozen.user) !== before) throw new Error(`The user ${before} became ${shown(frozen.user)}`);
  }
}

async function checkExplains<Config>({ evaluate, asks }: Subject<Config>): Promise<void> {
  for (const ask of asks) {
    const { evidence: _, detail: __, ...plain } = await contain(evaluate, ask);
    const { evidence, detail, ...explained } = await contain(evaluate, { ...ask, explain: true });
    same(`Asked about ${shown(ask.user)} with explain, the verdict differs`, explained, plain);
    same(
      "The evidence is not JSON",
      evidence === undefined ? evidence : JSON.parse(JSON.stringify(evidence)),
      evidence,
    );
    if (detail !== undefined && typeof detail !== "string") throw new Error("The detail is not text");
  }
}

async function checkReads<Config>({ strategy, config, evaluate, asks }: Subject<Config>): Promise<void> {
  const declared = strategy.reads?.(config);
  if (declared === undefined) return;
  const read = new Set<string>();
  for (const ask of asks) await contain(evaluate, { ...ask, user: recordReads(ask.user, read) });
  for (const pointer of read)
    if (!declared.some((name) => isWithin(pointer, name) || isWithin(name, pointer)))
      throw new Error(`It read ${pointer}, reads() declares ${declared.join(", ") || "nothing"}`);
  for (const name of declared)
    if (![...read].some((pointer) => isWithin(pointer, name) || isWithin(name, pointer)))
      throw new Error(`It never read ${name}, which reads() declares: add a user that makes it, or leave it out`);
}

/** Of what it declares to read and nothing else: null, a list and an object are what no attribute should be. */
async function checkOdd<Config>({ strategy, config, evaluate, asks }: Subject<Config>): Promise<void> {
  const names = (strategy.reads?.(config) ?? []).map((pointer) => pointer.split("/")[1] ?? "");
  const [ask] = asks;
  if (names.length === 0 || ask === undefined) return;
  for (const odd of [null, [], {}]) {
    const user = Object.fromEntries(names.map((name) => [name, odd]));
    const verdict = await contain(evaluate, { ...ask, user });
    if ("variant" in verdict && verdict.variant !== undefined)
      throw new Error(`Asked about ${shown(user)} it decided for "${verdict.variant}", an abstention is wanted`);
  }
}

/** True when `pointer` is `container` or inside it. */
function isWithin(pointer: string, container: string): boolean {
  return pointer === container || pointer.startsWith(`${container}/`);
}

async function checkBounded<Config>({ strategy, evaluate, asks }: Subject<Config>): Promise<void> {
  if (strategy.bounded !== true) return;
  for (const ask of asks) {
    const answer = evaluate(ask);
    if (answer instanceof Promise) {
      await answer;
      throw new Error("It answers with a promise, which a bounded strategy does not");
    }
  }
}

/** Its own answers stay true: the engine places users by the split instead of asking. */
async function checkSplit<Config>({ evaluate, asks }: Subject<Config>): Promise<void> {
  if (evaluate.split === undefined) return;
  const { split, verdicts: told } = evaluate.split;
  for (const ask of asks) {
    const bucket = placeIn(split, ask.user);
    if (bucket === NO_UNIT) continue;
    const verdict = bucket === OUTSIDE ? null : (told[armAt(split, bucket)] ?? null);
    const placed = bucket === EVERYONE ? verdict : { ...verdict, bucket };
    const wanted = verdict === null ? { abstain: "no_match" } : placed;
    same(`Asked about ${shown(ask.user)} it differs from its split`, await contain(evaluate, ask), wanted);
  }
}

async function verdicts(evaluate: Evaluator, asks: readonly Ask[]): Promise<readonly Verdict[]> {
  const found: Verdict[] = [];
  for (const ask of asks) found.push(await contain(evaluate, ask));
  return found;
}

async function contain(evaluate: Evaluator, ask: Ask): Promise<Verdict> {
  try {
    return await evaluate(ask);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Asked about ${shown(ask.user)} it threw, a verdict is wanted: ${why}`, { cause: error });
  }
}

function same(problem: string, found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) throw new Error(`${problem}: ${shown(found)} instead of ${shown(wanted)}`);
}
