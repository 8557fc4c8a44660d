import { setQuery } from "../../router.ts";
import type { Model } from "../../wire.ts";
import { ago } from "../../words.ts";
import { StatusChip } from "./status-chip.tsx";

/** Every version that was trained, newest first; the chosen one is in the address. */
export function VersionsCard({ models, chosen }: { models: readonly Model[]; chosen: Model }) {
  return (
    <section class="card" aria-label="Versions">
      <h2>Versions</h2>
      <ol class="versions">
        {models.map((model) => (
          <li key={model.model_version}>
            <button
              type="button"
              class="version"
              aria-pressed={model === chosen}
              onClick={() => setQuery({ version: model.model_version })}
            >
              <span class="break">
                <b>{model.model_version}</b>
                <small class="soft">
                  {model.model_name} · {ago(model.trained_at)}
                </small>
              </span>
              <StatusChip model={model} />
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
