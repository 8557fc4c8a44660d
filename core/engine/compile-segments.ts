import { compileCondition } from "../feature/compile-condition.ts";
import { prerequisites, type References, referencesOf } from "../feature/references.ts";
import type { Segment } from "../feature/segment.ts";
import type { CompiledCondition } from "../strategy.ts";

/** Compiled segments by key. */
export interface CompiledSegments {
  /** undefined: no such segment. Throws what compiling it throws. */
  get(key: string): CompiledCondition | undefined;
  /** Keys of the features these references ask about, directly or through segments. */
  prerequisites(references: References): Iterable<string>;
}

/** Each segment is compiled when it is first asked for. One that leads back to itself is missing there. */
export function compileSegments(
  segments: readonly Segment[],
  offVariants: ReadonlyMap<string, string>,
): CompiledSegments {
  const stored = new Map(segments.map((segment) => [segment.key, segment]));
  const compiled = new Map<string, CompiledCondition | undefined>();
  const get = (key: string): CompiledCondition | undefined => {
    if (compiled.has(key)) return compiled.get(key);
    const segment = stored.get(key);
    if (segment === undefined) return undefined;
    compiled.set(key, undefined);
    const scope = { segment: get, offVariant: (name: string) => offVariants.get(name), seed: `segment:${key}#gate` };
    try {
      compiled.set(key, compileCondition(segment.condition, scope));
    } catch (error) {
      // Thrown to everyone who asks, not only to the first.
      compiled.delete(key);
      throw error;
    }
    return compiled.get(key);
  };
  let references: ReadonlyMap<string, References> | undefined;
  return {
    get,
    prerequisites(from) {
      references ??= new Map(segments.map(({ key, condition }) => [key, referencesOf([condition])]));
      return prerequisites(from, references).keys();
    },
  };
}
