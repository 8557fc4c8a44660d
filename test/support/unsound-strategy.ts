/** A plugin as PLUGINS= loads it, that fails in every way a strategy can; its config says in which. */
import { z } from "zod";
import type { Ask, Strategy, Verdict } from "../../core/strategy.ts";

const WAYS = [
  "throw",
  "reject",
  "hang",
  "dawdle",
  "lie",
  "mumble",
  "thenable",
  "deface",
  "drift",
  "block",
  "leak",
  "rewrite",
] as const;
const Config = z.strictObject({ does: z.enum(WAYS) });

export const strategy: Strategy<z.infer<typeof Config>> = {
  id: "unsound",
  contract: 1,
  summary: "For tests: fails as it is told",
  config: Config,
  prepare: ({ does }) => WAYS_TO_FAIL[does],
};

const WAYS_TO_FAIL: Readonly<Record<(typeof WAYS)[number], (ask: Ask) => Verdict | Promise<Verdict>>> = {
  throw: () => raise(),
  reject: () => Promise.reject(new Error("Cannot decide today")),
  hang: () => new Promise(() => {}),
  /** Longer than any budget the test sets. */
  dawdle: () => {
    const end = performance.now() + 60;
    while (performance.now() < end);
    return { variant: "on" };
  },
  lie: () => ({ variant: "a variant nobody declared" }),
  mumble: () => 42 as unknown as Verdict,
  // biome-ignore lint/suspicious/noThenProperty: something that only looks like a promise
  thenable: () => ({ then: () => raise() }) as unknown as Promise<Verdict>,
  deface: (ask) => {
    const user = ask.user as Record<string, unknown>;
    for (const name of Object.keys(user)) delete user[name];
    return raise();
  },
  block: () => {
    const end = performance.now() + 200;
    while (performance.now() < end);
    return { variant: "on" };
  },
  leak: () => {
    leaked.push(new Uint8Array(1024 * 1024).fill(1));
    throw new Error("Out of memory soon");
  },
  /** Everything it is given, however deep, without a word. */
  rewrite: (ask) => {
    const user = ask.user as Record<string, unknown>;
    (user.company as Record<string, unknown>).size = 0;
    (user.tags as unknown[]).length = 0;
    user.user_id = "somebody-else";
    return { abstain: "low_confidence" };
  },
  drift: () => ({ abstain: "drifted_model" }),
};

const leaked: Uint8Array[] = [];

function raise(): never {
  throw new Error("Cannot decide today");
}
