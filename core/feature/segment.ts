import type { Condition } from "./condition.ts";

/** A reusable, named condition. Segments may refer to other segments; circles are refused on write. */
export interface Segment {
  readonly environment: string;
  readonly key: string;
  readonly name: string;
  readonly condition: Condition;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}
