import type {
  AnyProviderEvent,
  ErrorCode,
  EvaluationContext,
  EventHandler,
  FlagMetadata,
  JsonValue,
  Provider,
  ProviderEventEmitter,
  ResolutionDetails,
  TrackingEventDetails,
} from "@openfeature/server-sdk";
import type { PropertyValue } from "../../core/event/event.ts";
import type { Json } from "../../core/json.ts";
import type { User } from "../../core/strategy.ts";
import { detailsOf, failedDetails } from "./details.ts";
import type { Change, Evaluated, Evaluator } from "./evaluator.ts";
import type { Tracker } from "./tracker.ts";

/** What events are stored under that belong to no feature: they count for any whose objective names their type. */
const NO_FEATURE = "app";

/** Where `track` goes; a client is one. */
export type Tracking = Pick<Tracker, "track" | "close">;

/**
 * The provider for @openfeature/server-sdk, over a client or any other evaluator.
 *
 * - `targetingKey` is our user_id, the rest of the context are attributes. flagMetadata: `contextId`, `flagSetId` and
 *   `version`, which telemetry hooks know, and of ours `decision_source`, `fallback_cause`, `model_version`, `decision_id`.
 * - `track("purchase", { targetingKey: "ada" }, { value: 49.9, feature_key: "new-checkout" })` stores the event, the details'
 *   scalars as its properties. Without a `feature_key` it belongs to no feature in particular.
 *
 * @param evaluator closed with the provider
 * @param tracking closed with the provider. Default: the evaluator, when it tracks
 * @example
 * await OpenFeature.setProviderAndWait(createProvider(createClient({ url: "http://127.0.0.1:8000" })));
 */
export function createProvider(
  evaluator: Evaluator & Partial<Tracking>,
  tracking: Partial<Tracking> = evaluator,
): Provider {
  const events = createEmitter();
  let stop: (() => void) | undefined;

  async function resolve<Value extends JsonValue>(
    key: string,
    byDefault: Value,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<Value>> {
    const user = userOf(context);
    const details = await decide(evaluator, key, user, byDefault as Json);
    const { value, variant, reason, error_code, error_message, decision } = details;
    return {
      value: value as Value,
      reason,
      ...(variant === null ? {} : { variant }),
      ...(error_code === undefined ? {} : { errorCode: error_code as ErrorCode, errorMessage: error_message ?? "" }),
      flagMetadata: metadataOf(user, evaluator.environment, decision),
    };
  }

  return {
    metadata: { name: "adaptive-feature-flags" },
    runsOn: "server",
    events,
    resolveBooleanEvaluation: resolve,
    resolveStringEvaluation: resolve,
    resolveNumberEvaluation: resolve,
    resolveObjectEvaluation: resolve,
    async initialize() {
      stop ??= evaluator.onChange((change) => events.emit(...eventOf(change)));
      await evaluator.ready();
    },
    async onClose() {
      stop?.();
      stop = undefined;
      await Promise.all([evaluator.close(), tracking === evaluator ? undefined : tracking.close?.()]);
    },
    track(name, context, details) {
      const { feature_key = NO_FEATURE, ...more } = details;
      const about = { feature_key: String(feature_key), event_type: name, properties: propertiesOf(more) };
      tracking.track?.({ user_id: userOf(context).user_id ?? "", ...about });
    },
  };
}

async function decide(evaluator: Evaluator, key: string, user: User, byDefault: Json) {
  try {
    return detailsOf(await evaluator.evaluate(key, user), byDefault);
  } catch (error) {
    return failedDetails(key, byDefault, error);
  }
}

/** As the server reads OFREP's contexts: without a targeting key, a `user_id` among the attributes counts. */
function userOf({ targetingKey, ...attributes }: EvaluationContext): User {
  const user = toJson(attributes) as User;
  return targetingKey ? { ...user, user_id: targetingKey } : user;
}

/** Dates become ISO texts. */
function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function metadataOf({ user_id }: User, environment: string | undefined, decision: Evaluated | null): FlagMetadata {
  const { feature_version = null, decision_source, fallback, model_version, decision_id } = decision ?? {};
  const known = {
    contextId: user_id,
    flagSetId: environment,
    version: feature_version === null ? undefined : String(feature_version),
    decision_source,
    fallback_cause: fallback?.cause,
    model_version: model_version ?? undefined,
    decision_id,
  };
  return Object.fromEntries(Object.entries(known).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Events have scalars; what is more is left out. */
function propertiesOf(details: TrackingEventDetails): Record<string, PropertyValue> {
  const entries = Object.entries(toJson(details) as Record<string, Json>);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, PropertyValue] => entry[1] === null || typeof entry[1] !== "object"),
  );
}

type Emitted = [type: AnyProviderEvent, context: { message?: string; metadata?: Record<string, string | number> }];

function eventOf(change: Change): Emitted {
  switch (change.type) {
    case "changed": {
      const { environment, revision } = change;
      return ["PROVIDER_CONFIGURATION_CHANGED" as AnyProviderEvent, { metadata: { environment, revision } }];
    }
    case "stale":
      return ["PROVIDER_STALE" as AnyProviderEvent, { message: change.message }];
    case "fresh":
      return ["PROVIDER_READY" as AnyProviderEvent, {}];
  }
}

/** The SDK's own emitter would have to be imported, and with it the SDK. */
function createEmitter(): ProviderEventEmitter<AnyProviderEvent> {
  const handlers = new Map<AnyProviderEvent, EventHandler[]>();
  const of = (type: AnyProviderEvent) => handlers.get(type) ?? [];
  const emitter: ProviderEventEmitter<AnyProviderEvent> = {
    emit(type, context) {
      for (const handler of of(type)) void handler({ providerName: "adaptive-feature-flags", ...context });
    },
    addHandler: (type, handler) => void handlers.set(type, [...of(type), handler]),
    removeHandler: (type, handler) =>
      void handlers.set(
        type,
        of(type).filter((other) => other !== handler),
      ),
    removeAllHandlers: (type) => (type === undefined ? handlers.clear() : void handlers.delete(type)),
    getHandlers: (type) => of(type),
    setLogger: () => emitter,
  };
  return emitter;
}
