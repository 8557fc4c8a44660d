import { getLogger } from "@logtape/logtape";
import { DiagLogLevel, diag, logs } from "@opentelemetry/api";
import { drawnOr, readSampling } from "./sampling.ts";
import { tracing } from "./tracing.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Starts OpenTelemetry when a collector is named by OTEL_EXPORTER_OTLP_ENDPOINT, or for traces or logs alone by their own
 * variables (docs/telemetry.md); else nothing is loaded, nothing is exported and nothing is said. The other OTEL_ variables
 * (protocol, headers, sampler, resource attributes, OTEL_SDK_DISABLED) mean what OpenTelemetry says they mean; the SDK reads
 * them from the process.
 */
export async function startTelemetry({
  environment,
  serviceVersion,
}: {
  environment: Environment;
  serviceVersion: string;
}): Promise<{ shutdown(): Promise<void> }> {
  const traces = wantsTraces(environment);
  const records = wantedRecords(environment);
  if ((!traces && records === "none") || environment.OTEL_SDK_DISABLED === "true") return { shutdown: async () => {} };

  // Loading the SDK takes half a second: only a process that traces pays that.
  const [
    { NodeSDK },
    { ParentBasedSampler, TraceIdRatioBasedSampler },
    { defaultResource, envDetector, resourceFromAttributes, serviceInstanceIdDetector },
  ] = await Promise.all([
    import("@opentelemetry/sdk-node"),
    import("@opentelemetry/sdk-trace"),
    import("@opentelemetry/resources"),
  ]);
  const sampling = readSampling(environment);
  const root = new TraceIdRatioBasedSampler(sampling.share);
  const sdk = new NodeSDK({
    // What the detectors find (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES) wins over these two.
    resource: defaultResource().merge(
      resourceFromAttributes({ "service.name": "adaptive-feature-flags", "service.version": serviceVersion }),
    ),
    // Not the process detector: command lines are nobody's business.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    instrumentations: [],
    sampler: drawnOr(sampling.parentBased ? new ParentBasedSampler({ root }) : root),
    metricReaders: [],
    // Left out, the SDK makes them from the environment.
    ...(traces ? {} : { spanProcessors: [] }),
    ...(records === "none" ? { logRecordProcessors: [] } : {}),
    // One batch request makes one event a decision: OpenTelemetry's default of 128 would lose most of them.
    ...(environment.OTEL_SPAN_EVENT_COUNT_LIMIT ? {} : { spanLimits: { eventCountLimit: 2000 } }),
  });
  // A collector that cannot be reached is worth a line, a full span is not: errors only.
  const log = getLogger(["adaptive", "telemetry"]);
  const report = (message: string) => log.warning("{message}", { message: message.slice(0, 500) });
  const ignore = () => {};
  diag.setLogger(
    { error: report, warn: ignore, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  sdk.start();
  tracing.enabled = traces;
  tracing.sampling = sampling;
  tracing.records = records;
  tracing.logger = logs.getLogger("adaptive-feature-flags");
  return {
    shutdown: async () => {
      tracing.enabled = false;
      tracing.records = "none";
      await sdk.shutdown().catch((error: unknown) => report(String(error)));
    },
  };
}

function wantsTraces(environment: Environment): boolean {
  if (environment.OTEL_TRACES_EXPORTER === "none") return false;
  return Boolean(environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT);
}

/** Whoever asks for log records gets all; a collector alone gets those of the traces it is sent, as sampling is there to spare it. */
function wantedRecords(environment: Environment): (typeof tracing)["records"] {
  const { OTEL_LOGS_EXPORTER: exporter } = environment;
  if (exporter === "none") return "none";
  if (exporter || environment.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT) return "all";
  return environment.OTEL_EXPORTER_OTLP_ENDPOINT ? "sampled" : "none";
}
