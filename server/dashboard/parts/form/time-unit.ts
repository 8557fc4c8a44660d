import { counted } from "../../words.ts";

/** Units of time with their seconds, the largest first. */
export const TIME_UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** Seconds of the largest unit that needs no fraction. */
export function largestUnit(seconds: number): number {
  return unitOf(seconds)[1];
}

/** Exactly: 129,600 seconds are 36 hours, not 2 days. */
export function exactDuration(seconds: number): string {
  const [unit, size] = unitOf(seconds);
  return counted(seconds / size, unit);
}

function unitOf(seconds: number): (typeof TIME_UNITS)[number] {
  return TIME_UNITS.find(([, size]) => seconds % size === 0) ?? ["second", 1];
}
