import type { Services } from "../../services.ts";
import type { App } from "../route.ts";
import { createDecider } from "./decider.ts";
import { evaluateFlagRoute } from "./evaluate-flag.ts";
import { evaluateFlagsRoute } from "./evaluate-flags.ts";
import { createEventStreams, type EventStreams } from "./event-streams.ts";
import { streamRoute } from "./stream.ts";

/** The OpenFeature Remote Evaluation Protocol 0.3 (docs/ofrep.md). Answers with its event streams, to be closed at the end. */
export function ofrepRoutes(app: App, services: Services): EventStreams {
  const decider = createDecider(services);
  const streams = createEventStreams(services);
  services.metrics.gauge("ofrep_event_streams", () => streams.count);
  evaluateFlagRoute(app, decider);
  evaluateFlagsRoute(app, services, decider);
  streamRoute(app, services, { decider, streams });
  return streams;
}
