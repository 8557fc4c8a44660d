import { clearInterval, setInterval } from "node:timers";

/** How often each variant was served by this process within the last hour. Memory only: it begins anew with the process. */
export interface Usage {
  /** The series of one variant: `add` is a plain addition. */
  series(environment: string, featureKey: string, variant: string): { add(by: number): void };
  /** Decisions by variant, by feature. */
  lastHour(environment: string): ReadonlyMap<string, Readonly<Record<string, number>>>;
  close(): void;
}

interface Series {
  readonly environment: string;
  readonly featureKey: string;
  readonly variant: string;
  total: number;
  /** Totals at the end of past minutes, newest last. */
  readonly past: number[];
  add(by: number): void;
}

const MINUTES = 60;

export function createUsage({ minute = 60_000 }: { readonly minute?: number } = {}): Usage {
  const all = new Map<string, Series>();
  const timer = setInterval(() => {
    for (const series of all.values()) {
      series.past.push(series.total);
      if (series.past.length > MINUTES) series.past.shift();
    }
  }, minute).unref();

  return {
    series(environment, featureKey, variant) {
      const key = JSON.stringify([environment, featureKey, variant]);
      let known = all.get(key);
      if (known === undefined) {
        const made: Series = {
          ...{ environment, featureKey, variant, total: 0, past: [0] },
          add: (by) => {
            made.total += by;
          },
        };
        known = made;
        all.set(key, known);
      }
      return known;
    },
    lastHour(environment) {
      const features = new Map<string, Record<string, number>>();
      for (const { environment: own, featureKey, variant, total, past } of all.values()) {
        const served = total - (past[0] ?? 0);
        if (own !== environment || served === 0) continue;
        features.set(featureKey, { ...features.get(featureKey), [variant]: served });
      }
      return features;
    },
    close: () => clearInterval(timer),
  };
}
