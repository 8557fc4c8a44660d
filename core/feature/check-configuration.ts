import type { Strategy } from "../strategy.ts";
import type { Feature } from "./feature.ts";
import type { Segment } from "./segment.ts";

/**
 * Throws Invalid when features and segments do not fit together: a prerequisite or segment that does not exist, or that
 * leads back to itself.
 */
export function checkConfiguration(
  _configuration: { readonly features: readonly Feature[]; readonly segments: readonly Segment[] },
  _strategies: ReadonlyMap<string, Strategy>,
): void {
  throw new Error("Being written");
}
