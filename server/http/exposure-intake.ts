import type { Exposure } from "../../core/decision/exposure.ts";
import { Overloaded } from "../../core/ports.ts";
import type { Services } from "../services.ts";
import { catchUp } from "./catch-up.ts";
import { no, type Refusal, ReportedExposure, refusalOf, shapeRefusal } from "./reported-exposure.ts";

/** How decisions made elsewhere come in. */
export interface ExposureIntake {
  /** Resolves when all that were believed are durable. Throws Overloaded when too many calls are under way. */
  store(environment: string, inputs: readonly unknown[]): Promise<TakenIn>;
}

export interface TakenIn {
  readonly saved_exposures: number;
  readonly duplicates: number;
  readonly rejections: readonly (Refusal & { readonly index: number })[];
}

export type IntakeServices = Pick<
  Services,
  "clock" | "configuration" | "exposures" | "experiments" | "features" | "metrics" | "models" | "snapshots"
>;

/** Calls that may be under way: each holds a connection, and thousands of rows. */
const MOST_CALLS = 8;

/**
 * Nothing that is reported is believed as it is: feature, version, variant, model and arm must be, or have been, this
 * environment's, times past, and probabilities probabilities. Who decides elsewhere also tells first exposures from
 * repeated ones: a later report may be about an earlier decision, so whatever is reported is kept, and readers take the first.
 */
export function exposureIntake(services: IntakeServices): ExposureIntake {
  const { clock, exposures, metrics, snapshots } = services;
  const stored = metrics.counter("exposures_reported_total", { outcome: "stored" });
  const repeated = metrics.counter("exposures_reported_total", { outcome: "duplicate" });
  let calls = 0;

  async function take(environment: string, inputs: readonly unknown[]): Promise<TakenIn> {
    const rejections: (Refusal & { index: number })[] = [];
    const reject = (index: number, refusal: Refusal) => {
      metrics.count("exposures_rejected_total", { reason: refusal.code });
      rejections.push({ index, ...refusal });
    };
    const reports = inputs.flatMap((input, index) => {
      const { success, data, error } = ReportedExposure.safeParse(input);
      if (!success) reject(index, shapeRefusal(error));
      return success ? [{ index, report: data }] : [];
    });
    await hearOfNewFeatures(environment, reports);
    const history = openHistory(services, environment);
    const believed: Exposure[] = [];
    for (const { index, report } of reports) {
      const feature = snapshots.get(environment)?.features.get(report.feature_key);
      const refusal = refusalOf(report, feature, clock.now()) ?? (await history.refusalOf(report));
      if (refusal === undefined) believed.push(toExposure(environment, report));
      else reject(index, refusal);
    }
    const saved = await exposures.append(believed);
    stored.add(saved);
    repeated.add(believed.length - saved);
    rejections.sort((a, b) => a.index - b.index);
    return { saved_exposures: saved, duplicates: believed.length - saved, rejections };
  }

  /** Who decided may have heard of a change before this server did. */
  async function hearOfNewFeatures(
    environment: string,
    reports: readonly { readonly report: ReportedExposure }[],
  ): Promise<void> {
    const features = snapshots.get(environment)?.features;
    const unheard = reports.some(
      ({ report }) => report.feature_version > (features?.get(report.feature_key)?.version ?? 0),
    );
    if (unheard) await catchUp(services, environment, Number.POSITIVE_INFINITY);
  }

  return {
    async store(environment, inputs) {
      if (calls >= MOST_CALLS)
        throw new Overloaded(`${MOST_CALLS} reports of exposures are being stored already; try again in a second`);
      calls += 1;
      try {
        return await take(environment, inputs);
      } finally {
        calls -= 1;
      }
    },
  };
}

/** What only the database knows, asked once a call: earlier variants, models that decided, experiments that ran. */
function openHistory({ experiments, features, models, snapshots }: IntakeServices, environment: string) {
  const variants = memoized(async (key) => {
    const revisions = await features.revisions(environment, key);
    return new Map(revisions.map(({ version, definition }) => [version, Object.keys(definition?.variants ?? {})]));
  });
  const scopes = memoized(async (version) => (await models.get(environment, version))?.feature_key);
  const running = memoized((id) => experiments.get(environment, Number(id)));

  return {
    async refusalOf(report: ReportedExposure): Promise<Refusal | undefined> {
      const { feature_key: key, feature_version: version, variant, probabilities, model_version, experiment } = report;
      const feature = snapshots.get(environment)?.features.get(key);
      const named = [variant, ...Object.keys(probabilities ?? {})];
      let unknown = named.find((name) => feature === undefined || !Object.hasOwn(feature.definition.variants, name));
      if (unknown !== undefined && version !== feature?.version) {
        const earlier = (await variants(key)).get(version) ?? [];
        unknown = named.find((name) => !earlier.includes(name));
      }
      if (unknown !== undefined)
        return no(
          "unknown_variant",
          "variant",
          `names "${unknown}", which version ${version} of "${key}" does not have`,
        );
      if (
        model_version !== null &&
        ![feature?.plan?.model?.version, feature?.plan?.challenger?.version].includes(model_version)
      ) {
        const scope = await scopes(model_version);
        if (scope === undefined || (scope !== null && scope !== key))
          return no("unknown_model", "model_version", `names "${model_version}", which is no model of "${key}"`);
      }
      if (experiment !== null) {
        const found = await running(String(experiment.experiment_id));
        if (found?.feature_key !== key || !found.arms.some(({ name }) => name === experiment.variant))
          return no("unknown_experiment", "experiment", `is not an arm of an experiment on "${key}"`);
      }
      return undefined;
    },
  };
}

function memoized<Answer>(read: (key: string) => Promise<Answer>): (key: string) => Promise<Answer> {
  const known = new Map<string, Promise<Answer>>();
  return (key) => {
    const answer = known.get(key) ?? read(key);
    known.set(key, answer);
    return answer;
  };
}

function toExposure(environment: string, report: ReportedExposure): Exposure {
  const { decision_id, at, features, probabilities, experiment, ...decided } = report;
  return {
    environment,
    decision_id,
    at: Date.parse(at),
    decision: {
      ...decided,
      experiment: experiment === null ? null : { ...experiment, experiment_name: "" },
      value: null,
      threshold_mode: null,
      bucket: null,
    },
    unit: report.user_id,
    features,
    probabilities,
  };
}
