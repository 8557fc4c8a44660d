import type { Profile } from "../event/profile.ts";
import { type Encoding, rowEncoder } from "./encoding.ts";
import { attributeValue, type FeatureSource, measureOf, type Scalar, sourceOf, totalOf } from "./feature-row.ts";

type Attributes = Readonly<Record<string, unknown>>;
type Total = ReturnType<typeof totalOf> | undefined;
type ReadProfile = (profile: Profile | undefined, total: Total, at: number) => Scalar;

/** An encoding compiled for serving: straight from the user's attributes and profile, the same numbers as row and encoding. */
export interface UserColumns {
  /** True when the encoding looks at the user's events, so a profile is needed. */
  readonly uses_profile: boolean;
  /** Names of the attributes it looks at. */
  readonly attributes: readonly string[];
  /** The learner's inputs of the user last read: one array, written over. */
  readonly x: Float64Array;
  /** The raw values of the user last read, in the order of the encoding's features: one array, written over. */
  readonly values: readonly Scalar[];
  /** From now on takes the feature at this index for having this value, whatever users hold; null: takes users as they are. */
  assume(feature: number | null, value: Scalar): void;
  /** Reads a user. True when none of the attributes said something, and such a row was never learned from. */
  read(user: Attributes, profile: Profile | undefined, at: number): boolean;
}

export function createUserColumns(encoding: Encoding): UserColumns {
  const sources = encoding.features.map((feature) => sourceOf(feature.name));
  const usesTotal = sources.some((source) => source?.from === "profile" && source.event_type === null);
  const attributes = sources.flatMap((source) => (source?.from === "attribute" ? [source.attribute] : []));
  const attributeAt = sources.map((source) => (source?.from === "attribute" ? asKey(source.attribute) : undefined));
  const readers = sources.map(profileReader);
  const encode = rowEncoder(encoding);
  const mayBeBlank = attributes.length > 0 && !encoding.blank_attributes;
  const values: Scalar[] = new Array(sources.length).fill(null);
  const x = new Float64Array(encoding.columns.length);
  let assumed = -1;
  let assumption: Scalar = null;
  return {
    uses_profile: sources.some((source) => source?.from === "profile"),
    attributes,
    x,
    values,
    assume(feature, value) {
      assumed = feature ?? -1;
      assumption = value;
    },
    read(user, profile, at) {
      const total = usesTotal && profile !== undefined ? totalOf(profile) : undefined;
      for (let i = 0; i < readers.length; i++) {
        const attribute = attributeAt[i];
        if (attribute === undefined) {
          values[i] = (readers[i] as ReadProfile)(profile, total, at);
          continue;
        }
        values[i] = attributeValue(user[attribute]);
      }
      if (assumed >= 0) values[assumed] = assumption;
      return !encode(values, x, 0) && mayBeBlank;
    },
  };
}

/** The same text as engines keep property names: a lookup by a string cut out of another one costs three times as much. */
function asKey(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text;
}

function profileReader(source: FeatureSource | undefined): ReadProfile {
  if (source?.from !== "profile") return () => null;
  const { event_type, measure } = source;
  if (event_type === null)
    return (profile, total, at) => (profile === undefined ? null : measureOf(total, measure, at));
  return (profile, _, at) => {
    if (profile === undefined) return null;
    return measureOf(Object.hasOwn(profile, event_type) ? profile[event_type] : undefined, measure, at);
  };
}
