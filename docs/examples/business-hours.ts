/**
 * An example of a strategy of your own: serves a variant during business hours and leaves the rest of the day to the next
 * step. Load it with `PLUGINS=./docs/examples/business-hours.ts`, then give a feature the step
 *
 *     { "id": "office", "strategy": "business-hours",
 *       "config": { "time_zone": "Europe/Berlin", "days": ["Mon", "Tue"], "from": 9, "to": 17, "variant": "on" } }
 */
import { defineStrategy, z } from "adaptive-feature-flags/plugin-kit";

const Day = z.enum(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);

const Config = z
  .strictObject({
    /** An IANA name. Default UTC. */
    time_zone: z.string().refine(isTimeZone, "Takes an IANA time zone such as Europe/Berlin").default("UTC"),
    days: z.array(Day).min(1).max(7).default(["Mon", "Tue", "Wed", "Thu", "Fri"]),
    /** Hours of the day: from 9 to 17 is 09:00 until 16:59. */
    from: z.int().min(0).max(23).default(9),
    to: z.int().min(1).max(24).default(17),
    variant: z.string().min(1).max(100),
  })
  .refine(({ from, to }) => from < to, { path: ["to"], message: "Must be later than from" });

export const strategy = defineStrategy({
  id: "business-hours",
  contract: 1,
  summary: "Serves a variant during business hours, and leaves the rest of the day to the next step",
  config: Config,
  variants: ({ variant }) => [variant],
  reads: () => [],
  prepare({ time_zone, days, from, to, variant }) {
    // What is costly is done once, here; the evaluator below runs for every decision.
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: time_zone,
      weekday: "short",
      hour: "numeric",
      hourCycle: "h23",
    });
    const open = new Set<string>(days);
    return ({ now, explain }) => {
      const parts = format.formatToParts(now);
      const day = parts.find(({ type }) => type === "weekday")?.value ?? "";
      const hour = Number(parts.find(({ type }) => type === "hour")?.value);
      const told = explain ? { detail: `It is ${day}, ${hour} o'clock in ${time_zone}`, evidence: { day, hour } } : {};
      return open.has(day) && hour >= from && hour < to ? { variant, ...told } : { abstain: "no_match", ...told };
    };
  },
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
