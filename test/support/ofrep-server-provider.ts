import {
  handleEvaluationError,
  isEvaluationFailureResponse,
  OFREPApi,
  toResolutionDetails,
} from "@openfeature/ofrep-core";
import type { EvaluationContext, JsonValue, Provider, ResolutionDetails } from "@openfeature/server-sdk";

/**
 * The OFREP provider for @openfeature/server-sdk: one call a flag. The published one (@openfeature/ofrep-provider 0.1.3)
 * needs the ofrep-core of 2024; this is what it does, on the present one.
 */
export function ofrepServerProvider(baseUrl: string, headers: [string, string][] = []): Provider {
  const api = new OFREPApi({ baseUrl, headers });
  async function resolve<Value extends JsonValue>(
    key: string,
    byDefault: Value,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<Value>> {
    const { value } = await api.postEvaluateFlag(key, { context });
    const details = isEvaluationFailureResponse(value)
      ? handleEvaluationError(value, byDefault)
      : toResolutionDetails(value, byDefault);
    return details as ResolutionDetails<Value>;
  }
  return {
    metadata: { name: "OFREP" },
    runsOn: "server",
    resolveBooleanEvaluation: resolve,
    resolveStringEvaluation: resolve,
    resolveNumberEvaluation: resolve,
    resolveObjectEvaluation: resolve,
  };
}
