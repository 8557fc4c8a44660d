import type { Json } from "../json.ts";
import type { ModelHealth } from "./model.ts";

/** What a look at a model found. */
export interface ModelCheck {
  readonly version: string;
  /** ISO. */
  readonly at: string;
  readonly health: ModelHealth;
  /** In words; null while nothing was found. */
  readonly detail: string | null;
  /** Everything that was measured. */
  readonly report: Json;
}

export interface ModelCheckStore {
  /** Newest first. */
  list(environment: string, version: string, limit: number): Promise<readonly ModelCheck[]>;
  /**
   * Has a worker look at a model that decides, besides the hourly checks.
   *
   * @param traceparent W3C trace context of who asks. Default: untraced
   */
  ask(environment: string, version: string, traceparent?: string | null): Promise<void>;
}
