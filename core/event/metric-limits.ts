/** Properties that must be a number within these bounds, both included, when an event has them. */
export const METRIC_LIMITS: Readonly<Record<string, readonly [low: number, high: number]>> = {
  latency_ms: [0, 120_000],
  error_rate: [0, 1],
  cpu_pct: [0, 100],
  mem_pct: [0, 100],
  // What profiles sum up. Within these bounds no sum can leave the range of a double.
  value: [-1e15, 1e15],
  amount: [-1e15, 1e15],
  price: [-1e15, 1e15],
  revenue: [-1e15, 1e15],
};

/** Those of METRIC_LIMITS that may also be something other than a number, which then is not a value. */
const VALUES = new Set(["value", "amount", "price", "revenue"]);

/** The bounds this property breaks; undefined when it breaks none. `name` may be anything. */
export function brokenLimit(name: string, value: unknown): readonly [low: number, high: number] | undefined {
  const limit = Object.hasOwn(METRIC_LIMITS, name) ? METRIC_LIMITS[name] : undefined;
  if (limit === undefined || value === null) return undefined;
  if (typeof value !== "number") return VALUES.has(name) ? undefined : limit;
  return value >= limit[0] && value <= limit[1] ? undefined : limit;
}
