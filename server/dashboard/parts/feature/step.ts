import type { Feature } from "../../wire.ts";

export type Step = Feature["steps"][number];
