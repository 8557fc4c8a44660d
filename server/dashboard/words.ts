import type { Json } from "./wire.ts";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

export function count(value: number): string {
  return whole.format(value);
}

/** `count` with its noun: "1 user", "1,000 users". */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** 0.2531 -> "25.3 %". */
export function percent(share: number, digits = 1): string {
  return `${trimmed(share * 100, digits)}\u00a0%`; // never alone on the next line
}

/** With at most so many decimals, and no zeros at the end. */
export function trimmed(value: number, digits = 2): string {
  return String(Number(value.toFixed(digits))).replace("-", "−");
}

/** With its sign: "+0.19", "−0.06". */
export function signed(value: number, digits = 2): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;
}

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** "3 minutes ago". */
export function ago(time: string | number): string {
  const seconds = ((typeof time === "number" ? time : Date.parse(time)) - Date.now()) / 1000;
  for (const [unit, size] of UNITS)
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  return "just now";
}

export function when(time: string): string {
  return moment.format(new Date(time));
}

/** Seconds in the largest unit that says them well. */
export function duration(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["second", 1];
  return counted(Math.round(seconds / size), unit);
}

/** A JSON value on one line, short enough for a table. */
export function shown(value: Json | undefined, most = 80): string {
  if (value === undefined) return "missing";
  const text = typeof value === "number" ? trimmed(value, 4) : JSON.stringify(value);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Why a step could not decide, as a sentence goes on after "because". */
export const CAUSES: Readonly<Record<string, string>> = {
  no_match: "no condition matched",
  no_model: "there is no model yet",
  stale_model: "the model is too old",
  drifted_model: "the hourly check stopped the model",
  low_confidence: "the model was not sure enough",
  missing_features: "what it needs to know about this user is missing",
  timeout: "it took too long",
  error: "it failed",
  open_circuit: "it failed too often in a row and is given a rest",
  invalid_verdict: "it answered something that cannot be served",
};

export const SOURCES: Readonly<Record<string, string>> = {
  feature_not_found: "unknown feature",
  feature_disabled: "kill switch",
  experiment: "experiment",
  rule: "rule",
  ml: "model",
  bandit: "bandit",
  holdout: "holdout",
  rollout: "rollout",
  fallback: "fallback",
};
