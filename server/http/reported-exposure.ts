import { z } from "@hono/zod-openapi";
import { FALLBACK_CAUSES } from "../../core/decision/decision.ts";
import type { CompiledFeature } from "../../core/engine/snapshot.ts";
import { CLOCK_SKEW } from "../../core/event/check-event.ts";
import { FEATURE_SCHEMA } from "../../core/model/feature-row.ts";

/** Milliseconds: what is reported later is about a server that has learnt from others since. */
const OLDEST = 30 * 86_400_000;
/** Columns of a feature row, and variants. */
const MOST_COLUMNS = 2_000;
/** Probabilities of all variants may differ from 1 by the rounding of so many sums. */
const ROUNDING = 1e-6;

const Name = (longest: number) => z.string().min(1).max(longest);
const Figure = z.number().nullable();
const Share = z.number().min(0).max(1);
const Drawn = z.number().gt(0).max(1);

/** A decision made elsewhere, as it is reported: what the server would have stored had it decided. */
export const ReportedExposure = z
  .strictObject({
    decision_id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{16,64}$/, "Takes 16 to 64 letters, digits, _ and -, of which 8 bytes are random")
      .describe("Reported again with the same time, it is stored once"),
    at: z.iso.datetime({ offset: true }).describe("When it was decided"),
    feature_key: Name(100),
    feature_version: z.int().min(1),
    user_id: Name(200),
    variant: Name(100),
    enabled: z.boolean(),
    decision_source: Name(100),
    reason: z.enum(["STATIC", "DEFAULT", "TARGETING_MATCH", "SPLIT", "DISABLED", "STALE", "ERROR"]),
    step: Name(100).nullable(),
    score: Figure,
    threshold: Figure,
    confidence: Share.nullable(),
    probability: Drawn.nullable().describe("With which the variant was drawn, above 0"),
    model_version: Name(200).nullable(),
    fallback: z.strictObject({ from: Name(100), cause: z.enum(FALLBACK_CAUSES) }).nullable(),
    experiment: z.strictObject({ experiment_id: z.int().min(1), variant: Name(100) }).nullable(),
    features: z
      .record(z.string().max(300), z.union([z.string().max(100), z.number(), z.boolean(), z.null()]))
      .nullable()
      .describe("The feature row as it was served; null when the feature does not learn"),
    probabilities: z
      .record(Name(100), Share)
      .nullable()
      .describe("Of every variant, over all draws; null when the feature does not learn or when it is not known"),
  })
  .meta({ id: "ReportedExposure" });
export type ReportedExposure = z.infer<typeof ReportedExposure>;

export interface Refusal {
  /** Stable; for machines. */
  readonly code: string;
  /** What was found and what would work. */
  readonly message: string;
  /** Dotted path into the exposure. */
  readonly field?: string;
}

/** What is wrong with its shape. */
export function shapeRefusal({ issues }: z.core.$ZodError): Refusal {
  const [issue] = issues;
  const field = [...(issue?.path ?? []), ...(issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [])];
  const message =
    issue?.code === "unrecognized_keys" ? "is not a field of an exposure" : (issue?.message ?? "is not valid");
  return { code: "invalid_exposure", message, ...(field.length === 0 ? {} : { field: field.join(".") }) };
}

/** Why the server does not believe it, as far as the feature tells; undefined when it may be so. */
export function refusalOf(
  exposure: ReportedExposure,
  feature: CompiledFeature | undefined,
  now: number,
): Refusal | undefined {
  const { feature_key: key, feature_version: version, variant, at } = exposure;
  const time = Date.parse(at);
  if (time > now + CLOCK_SKEW)
    return no("future_time", "at", `is after now (${new Date(now).toISOString()}); report what was decided`);
  if (time < now - OLDEST) return no("too_old", "at", "is more than 30 days ago, too long to learn from");
  if (feature === undefined)
    return no("unknown_feature", "feature_key", `names "${key}", which this environment does not have`);
  if (version > feature.version)
    return no("unknown_version", "feature_version", `is ${version}; "${key}" has come to ${feature.version}`);
  const present = version === feature.version;
  if (present && exposure.enabled !== (variant !== feature.definition.off_variant))
    return no(
      "inconsistent",
      "enabled",
      `is ${exposure.enabled}; the off variant is ${feature.definition.off_variant}`,
    );
  if (present && !feature.learns && (exposure.features ?? exposure.probabilities) !== null)
    return no("not_learning", "features", `must be null, as probabilities: "${key}" does not learn, so none are kept`);
  return rowRefusal(exposure) ?? probabilityRefusal(exposure);
}

function rowRefusal({ features }: ReportedExposure): Refusal | undefined {
  if (features === null) return undefined;
  if (features.schema !== FEATURE_SCHEMA)
    return no("invalid_row", "features.schema", `is ${features.schema}; this server reads ${FEATURE_SCHEMA}`);
  const columns = Object.keys(features).length;
  if (columns > MOST_COLUMNS)
    return no("invalid_row", "features", `has ${columns} columns; at most ${MOST_COLUMNS} are kept`);
  return undefined;
}

function probabilityRefusal({ probabilities, variant, fallback }: ReportedExposure): Refusal | undefined {
  if (probabilities === null) return undefined;
  const sum = Object.values(probabilities).reduce((total, probability) => total + probability, 0);
  if (Math.abs(sum - 1) > ROUNDING)
    return no("invalid_probability", "probabilities", `sum to ${sum}, not to 1; give those of all variants`);
  // What failed to decide is not part of what could have been drawn.
  if (fallback === null && !((probabilities[variant] ?? 0) > 0))
    return no("invalid_probability", "probabilities", `say that "${variant}" could not have been served`);
  return undefined;
}

export function no(code: string, field: string, message: string): Refusal {
  return { code, field, message };
}
