/**
 * An example of a strategy that asks somebody else: an HTTP service scores the user, and whoever reaches the threshold gets the
 * variant. Load it with `PLUGINS=./docs/examples/http-scorer.ts` and `SCORER_URL=http://...`, then give a feature the step
 *
 *     { "id": "scored", "strategy": "http-scorer", "budget_ms": 30,
 *       "config": { "attributes": ["plan", "visits"], "threshold": 0.7, "variant": "on" } }
 *
 * Nothing here knows of time-outs or retries: the engine waits for `budget_ms`, lets the next step decide, and after five
 * failures in a row leaves the service alone for ten seconds.
 */
import { defineStrategy, type User, z } from "adaptive-feature-flags/plugin-kit";

const Config = z.strictObject({
  /** Of the user, by name. No others leave this server. */
  attributes: z.array(z.string().min(1).max(100)).min(1).max(20),
  /** 0..1. */
  threshold: z.number().min(0).max(1).default(0.5),
  variant: z.string().min(1).max(100),
});

const Answer = z.object({ score: z.number().min(0).max(1) });

/** Milliseconds after which the connection is given up: as long as any step may wait. */
const GIVE_UP = 5000;

export const strategy = defineStrategy({
  id: "http-scorer",
  contract: 1,
  summary: "Serves a variant to users whom an HTTP service gives a high score",
  config: Config,
  variants: ({ variant }) => [variant],
  reads: ({ attributes }) => attributes.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`),
  prepare({ attributes, threshold, variant }, { feature }) {
    // Not in the config: whoever may write features must not choose whom this server calls.
    const url = process.env.SCORER_URL;
    if (url === undefined) throw new Error("SCORER_URL is not set: it is the address of the service that scores");
    return async ({ user, explain }) => {
      const known = pick(user, attributes);
      if (Object.keys(known).length === 0) return { abstain: "missing_features" };
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ feature_key: feature.key, user: known }),
        signal: AbortSignal.timeout(GIVE_UP),
      });
      if (!response.ok) throw new Error(`The scorer answers ${response.status}`);
      const { score } = Answer.parse(await response.json());
      const told = { score, threshold, ...(explain ? { detail: `Scored ${score} of ${threshold}` } : {}) };
      return score >= threshold ? { variant, ...told } : { abstain: "no_match", ...told };
    };
  },
});

/** Texts, numbers and booleans only: a scorer has no use for the others. */
function pick(user: User, names: readonly string[]): Readonly<Record<string, unknown>> {
  const found = names.map((name) => [name, user[name]] as const);
  return Object.fromEntries(found.filter(([, value]) => ["string", "number", "boolean"].includes(typeof value)));
}
