/** A model's health: its tone, and in words. */
export const HEALTH = {
  fresh: ["good", "Healthy"],
  warning: ["warn", "Drifting"],
  stopped: ["bad", "Stopped: its steps fall back"],
} as const;
