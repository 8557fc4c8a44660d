import type { Configuration } from "../ports.ts";
import type { Sharing } from "./sharing.ts";

/**
 * The configuration with the features and models of the one before wherever they are the same, so that what is read again
 * is not held twice: compiled features keep theirs, and artifacts may be large. New features share what they have in common.
 */
export function shareUnchanged(
  read: Configuration,
  before: Configuration | undefined,
  sharing: Pick<Sharing, "json">,
): Configuration {
  const features = new Map(before?.features.map((feature) => [feature.key, feature]));
  const models = new Map(before?.models.map((model) => [model.version, model]));
  return {
    ...read,
    features: read.features.map((feature) => {
      const known = features.get(feature.key);
      if (known?.id !== feature.id || known.version !== feature.version) return sharing.json(feature);
      return known.updated_at === feature.updated_at ? known : sharing.json(feature);
    }),
    models: read.models.map((model) => {
      const known = models.get(model.version);
      return known?.hash === model.hash ? { ...model, artifact: known.artifact } : model;
    }),
  };
}
