import type { Configuration } from "../core/ports.ts";

/**
 * The configuration with the features and models of the one before wherever they are the same, so that what is read again
 * is not held twice: compiled features keep theirs, and artifacts may be large.
 */
export function shareUnchanged(read: Configuration, before: Configuration | undefined): Configuration {
  if (before === undefined) return read;
  const features = new Map(before.features.map((feature) => [feature.id, feature]));
  const models = new Map(before.models.map((model) => [model.version, model]));
  return {
    ...read,
    features: read.features.map((feature) => {
      const known = features.get(feature.id);
      const same = known?.version === feature.version && known.updated_at === feature.updated_at;
      return same ? known : feature;
    }),
    models: read.models.map((model) => {
      const known = models.get(model.version);
      return known?.hash === model.hash ? { ...model, artifact: known.artifact } : model;
    }),
  };
}
