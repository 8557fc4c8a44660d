import type * as environments from "../http/routes/environments.ts";
import type * as features from "../http/routes/features.ts";
import type * as preview from "../http/routes/preview.ts";
import type * as segments from "../http/routes/segments.ts";
import type * as strategies from "../http/routes/strategies.ts";
import type { BodyOf, Caller, CallOptions } from "./caller.ts";

type FeatureBody = BodyOf<typeof features.create>;
type SegmentBody = BodyOf<typeof segments.create>;

/** `version`: refuse the write (ApiError 412) when another came between. Default: whatever is stored. */
type WriteOptions = CallOptions & { readonly version?: number };

/** Features, and what they are made of. Every call rejects with ApiError when it does not succeed. */
export function featureCalls({ call }: Caller) {
  return {
    createFeature: (body: FeatureBody, options?: CallOptions) =>
      call<typeof features.create>("post", "/features", { body }, options),
    listFeatures: (options?: CallOptions) => call<typeof features.list>("get", "/features", {}, options),
    getFeature: (idOrKey: string | number, options?: CallOptions) =>
      call<typeof features.read>("get", "/features/{feature}", { params: { feature: idOrKey } }, options),
    updateFeature: (idOrKey: string | number, body: FeatureBody, { version, ...options }: WriteOptions = {}) => {
      const params = { feature: idOrKey };
      return call<typeof features.replace>(
        "put",
        "/features/{feature}",
        { params, body, headers: ifMatch(version) },
        options,
      );
    },
    deleteFeature: (idOrKey: string | number, { version, ...options }: WriteOptions = {}) => {
      const params = { feature: idOrKey };
      return call<typeof features.remove>(
        "delete",
        "/features/{feature}",
        { params, headers: ifMatch(version) },
        options,
      );
    },
    /** Who changed what, when and why, newest first; also of a deleted feature. */
    featureRevisions: async (idOrKey: string | number, options?: CallOptions) => {
      const params = { feature: idOrKey };
      return (await call<typeof features.revisions>("get", "/features/{feature}/revisions", { params }, options))
        .revisions;
    },
    /** How many of the last 1,000 decisions this write would change. */
    previewFeature: (idOrKey: string | number, body: BodyOf<typeof preview.route>, options?: CallOptions) => {
      const params = { feature: idOrKey };
      return call<typeof preview.route>("post", "/features/{feature}/preview", { params, body }, options);
    },
    /** What features can be made of, with the settings of each. */
    listStrategies: (options?: CallOptions) => call<typeof strategies.list>("get", "/strategies", {}, options),

    createSegment: (body: SegmentBody, options?: CallOptions) =>
      call<typeof segments.create>("post", "/segments", { body }, options),
    listSegments: (options?: CallOptions) => call<typeof segments.list>("get", "/segments", {}, options),
    getSegment: (key: string, options?: CallOptions) =>
      call<typeof segments.read>("get", "/segments/{segment}", { params: { segment: key } }, options),
    updateSegment: (key: string, body: SegmentBody, { version, ...options }: WriteOptions = {}) => {
      const params = { segment: key };
      return call<typeof segments.replace>(
        "put",
        "/segments/{segment}",
        { params, body, headers: ifMatch(version) },
        options,
      );
    },
    deleteSegment: (key: string, options?: CallOptions) =>
      call<typeof segments.remove>("delete", "/segments/{segment}", { params: { segment: key } }, options),

    listEnvironments: (options?: CallOptions) => call<typeof environments.list>("get", "/environments", {}, options),
    createEnvironment: (key: string, options?: CallOptions) =>
      call<typeof environments.create>("post", "/environments", { body: { key } }, options),
  };
}

function ifMatch(version: number | undefined): Readonly<Record<string, string>> {
  return version === undefined ? {} : { "If-Match": `"${version}"` };
}
