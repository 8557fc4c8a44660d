import type { Feature } from "../../core/feature/feature.ts";
import { FeatureWrite } from "../../core/feature/feature-write.ts";
import { toDefinition } from "../../core/feature/to-definition.ts";
import type { Configuration } from "../../core/ports.ts";
import type { Strategy } from "../../core/strategy.ts";
import { builtIn } from "../../plugins/built-in.ts";

export const STRATEGIES: ReadonlyMap<string, Strategy> = new Map(builtIn.map((strategy) => [strategy.id, strategy]));

/** The built-in strategies and these. */
export function withStrategies(...more: readonly Strategy[]): ReadonlyMap<string, Strategy> {
  return new Map([...STRATEGIES, ...more.map((strategy) => [strategy.id, strategy] as const)]);
}

/** A feature as the store would give it back after this write. */
export function makeFeature(
  write: Partial<FeatureWrite> & { readonly key: string },
  { strategies = STRATEGIES, stored }: { strategies?: ReadonlyMap<string, Strategy>; stored?: Feature } = {},
): Feature {
  const definition = toDefinition(FeatureWrite.parse({ name: `Feature ${write.key}`, ...write }), {
    strategies,
    stored,
  });
  const version = (stored?.version ?? 0) + 1;
  const updated_at = new Date(Date.UTC(2026, 10, 1) + version * 1000).toISOString();
  const created_at = stored?.created_at ?? updated_at;
  return { ...definition, id: stored?.id ?? 1, environment: "production", version, created_at, updated_at };
}

export function makeConfiguration(parts: Partial<Configuration>): Configuration {
  return {
    environment: "production",
    revision: 1,
    features: [],
    segments: [],
    models: [],
    experiments: [],
    ...parts,
  };
}
