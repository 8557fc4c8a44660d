// @ts-check
import { defineStrategy, z } from "adaptive-feature-flags/plugin-kit";

/** What a step may say; the server refuses the rest on write and shows this in its API document. */
const Config = z.strictObject({
  plans: z.array(z.string().min(1)).min(1).describe("Plans whose users get the variant"),
  variant: z.string().min(1).max(100),
});

export const strategy = defineStrategy({
  id: "my-strategy",
  contract: 1,
  summary: "Serves a variant to the users of some plans, and leaves the others to the next step",
  config: Config,
  variants: ({ variant }) => [variant],
  reads: () => ["/plan"],
  // Once per version of the feature: do here what takes time.
  prepare({ plans, variant }) {
    const wanted = new Set(plans);
    // For every decision: the same ask, the same verdict.
    return ({ user, explain }) => {
      const { plan } = user;
      const detail = explain ? { detail: `The plan is ${JSON.stringify(plan)}` } : {};
      if (typeof plan !== "string" || !wanted.has(plan)) return { abstain: "no_match", ...detail };
      return { variant, ...detail };
    };
  },
});
