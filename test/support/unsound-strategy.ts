/** A plugin as PLUGINS= loads it, that fails in every way a strategy can; its config says in which. */
import { z } from "zod";
import type { Ask, Strategy, Verdict } from "../../core/strategy.ts";

const WAYS = ["throw", "reject", "hang", "dawdle", "lie", "mumble", "thenable", "deface", "drift"] as const;
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
  drift: () => ({ abstain: "drifted_model" }),
};

function raise(): never {
  throw new Error("Cannot decide today");
}
