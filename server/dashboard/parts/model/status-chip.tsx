import type { Model } from "../../wire.ts";
import { percent } from "../../words.ts";
import { HEALTH } from "./health-words.ts";

export function StatusChip({ model: { status, traffic, health } }: { model: Model }) {
  if (status === "live") return <span class={`chip ${HEALTH[health][0]}`}>{LIVE[health]}</span>;
  if (traffic > 0) return <span class="chip warn">takes over {percent(traffic, 0)}</span>;
  return <span class="chip">{status}</span>;
}

/** In words too: a colour alone says nothing to many. */
const LIVE = { fresh: "live", warning: "live, drifting", stopped: "live, stopped" } as const;
