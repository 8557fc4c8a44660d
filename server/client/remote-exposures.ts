import type { Exposure } from "../../core/decision/exposure.ts";
import type { ExposureStore } from "../../core/ports.ts";
import type * as exposures from "../http/routes/exposures.ts";
import { ApiError } from "./api-error.ts";
import type { BodyOf, Caller } from "./caller.ts";

/** Milliseconds a report may take. */
const PATIENCE = 30_000;

type Reported = BodyOf<typeof exposures.report>["exposures"][number];

/**
 * Reports exposures to the server. Rejects when they should be reported again: it is away, or refuses all of them for who
 * reports. `onRefused` hears of those it will never take.
 */
export function remoteExposures(
  caller: Caller,
  onRefused: (refusal: { readonly code: string; readonly message: string }) => void,
): ExposureStore {
  async function append(batch: readonly Exposure[]): Promise<number> {
    try {
      const body = { exposures: batch.map(toReported) };
      const options = { timeout: PATIENCE };
      const answer = await caller.call<typeof exposures.report>("post", "/exposures", { body }, options);
      for (const rejection of answer.rejections) onRefused(rejection);
      return answer.saved_exposures;
    } catch (error) {
      if (!(error instanceof ApiError) || !isOfTheBody(error)) throw error;
      if (batch.length > 1) {
        const middle = batch.length >> 1;
        return (await append(batch.slice(0, middle))) + (await append(batch.slice(middle)));
      }
      onRefused(error);
      return 0;
    }
  }
  return {
    async append(all) {
      const served = all.filter(({ decision }) => decision.variant !== null);
      return served.length === 0 ? 0 : append(served);
    },
  };
}

/** Not JSON, too large, not valid: the same would be refused again. */
function isOfTheBody({ status }: ApiError): boolean {
  return status === 400 || status === 413 || status === 422;
}

function toReported({ decision_id, at, unit, decision, features, probabilities }: Exposure): Reported {
  const { experiment, probability } = decision;
  return {
    decision_id,
    at: new Date(at).toISOString(),
    feature_key: decision.feature_key,
    feature_version: decision.feature_version as number,
    user_id: unit,
    variant: decision.variant as string,
    enabled: decision.enabled,
    decision_source: decision.decision_source,
    reason: decision.reason,
    step: decision.step,
    score: decision.score,
    threshold: decision.threshold,
    confidence: decision.confidence,
    // Beside the probabilities it is not stored; a verdict may say 0 of itself.
    probability: probability === 0 ? null : probability,
    model_version: decision.model_version,
    fallback: decision.fallback,
    experiment: experiment && { experiment_id: experiment.experiment_id, variant: experiment.variant },
    features: features as Reported["features"],
    probabilities,
  };
}
