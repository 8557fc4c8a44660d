import { createContextKey, ROOT_CONTEXT, SamplingDecision } from "@opentelemetry/api";
import type { Sampler } from "@opentelemetry/sdk-trace";

/** Which requests are traced: what OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG say, as data. */
export interface Sampling {
  /** Of the traces that begin here, 0 to 1. */
  readonly share: number;
  /** Whether a caller's decision counts more. */
  readonly parentBased: boolean;
}

/** Default, also for names and shares OpenTelemetry does not know: everything, unless the caller says no. */
export function readSampling(environment: Readonly<Record<string, string | undefined>>): Sampling {
  const name = environment.OTEL_TRACES_SAMPLER || "parentbased_always_on";
  const parentBased = name.startsWith("parentbased_");
  const root = parentBased ? name.slice("parentbased_".length) : name;
  if (root === "always_off") return { share: 0, parentBased };
  if (root === "always_on") return { share: 1, parentBased };
  if (root !== "traceidratio") return { share: 1, parentBased: true };
  const share = Number(environment.OTEL_TRACES_SAMPLER_ARG || "1");
  return { share: share >= 0 && share <= 1 ? share : 1, parentBased };
}

const DRAWN = createContextKey("adaptive.drawn");

/** The parent of a request's span that was drawn to be traced before anything was built for it. */
export const DRAWN_ROOT = ROOT_CONTEXT.setValue(DRAWN, true);

/** Traces what was drawn already; `sampler` decides about everything else, such as background jobs. */
export function drawnOr(sampler: Sampler): Sampler {
  return {
    shouldSample: (context, ...about) =>
      context.getValue(DRAWN) === true
        ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
        : sampler.shouldSample(context, ...about),
    toString: () => String(sampler),
  };
}
