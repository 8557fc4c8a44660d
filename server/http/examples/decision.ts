/** A user who is asked about. */
export const user = { user_id: "ada", plan: "pro", country: "SE" };

export const decision = {
  feature_key: "new-checkout",
  user_id: "ada",
  enabled: true,
  decision_source: "rollout",
  score: null,
  threshold: null,
  threshold_mode: null,
  experiment: null,
  model_version: null,
  variant: "on",
  value: true,
  reason: "SPLIT",
  step: "rollout",
  confidence: null,
  probability: 0.3,
  bucket: 17863,
  fallback: { from: "model", cause: "no_model" },
  feature_version: 2,
  decision_id: "28274d5badbc4bcd-1",
};

const { feature_key, feature_version, variant, enabled, decision_source, reason, step, score, threshold } = decision;
const { confidence, probability, model_version, fallback, decision_id } = decision;
const decided = { feature_key, feature_version, user_id: "ada", variant, enabled, decision_source, reason, step };

export const storedDecision = {
  ...{ decision_id, at: "2026-11-22T19:27:56.010Z", ...decided, score, threshold, confidence, probability },
  ...{ model_version, fallback, attributes: { plan: "pro", country: "SE" } },
};

/** A decision made elsewhere, as it is reported. */
export const reportedExposure = {
  ...{
    decision_id: "q83vEjRWeJq83vEjRWeJqw",
    at: "2026-11-22T19:27:56.010Z",
    ...decided,
    score,
    threshold,
    confidence,
  },
  ...{ probability, model_version, fallback, experiment: null, features: null, probabilities: null },
};

export const decisionStream = `id: 28274d5badbc4bcd-1
event: decision
data: ${JSON.stringify({ decision_id, at: "2026-11-22T19:27:56.010Z", ...decided })}

`;

/** Of `GET /changes` and OFREP's streams. */
export const changeStream = `retry: 2000

id: 8
data: {"type":"refetchEvaluation","etag":"\\"production.8\\"","lastModified":1795375676}

`;

const metadata = { contextId: "ada", flagSetId: "production", version: "2" };
export const ofrepRequest = { context: { targetingKey: "ada", plan: "pro", country: "SE" } };
export const ofrepFlag = { key: "new-checkout", reason: "SPLIT", variant: "on", value: true, metadata };
export const ofrepFlags = {
  flags: [ofrepFlag],
  metadata: { ...metadata, version: "8" },
  eventStreams: [
    {
      type: "sse",
      endpoint: {
        requestUri:
          "/ofrep/v1/streams/production?since=8&expires=1795381200&signature=GlZD7yOV6YyZVCjJVvlhlmkdZOPUkwTjrEKOKQFMn0o",
      },
      inactivityDelaySec: 120,
    },
  ],
};
