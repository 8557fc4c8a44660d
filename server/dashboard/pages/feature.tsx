import { useState } from "preact/hooks";
import { type ApiError, get } from "../api.ts";
import { AddStep } from "../parts/feature/add-step.tsx";
import { DeleteFeature } from "../parts/feature/delete-feature.tsx";
import { FallbackChoice } from "../parts/feature/fallback-choice.tsx";
import { FeatureHistory } from "../parts/feature/feature-history.tsx";
import { ObjectiveCard } from "../parts/feature/objective-card.tsx";
import { SaveFeature } from "../parts/feature/save-feature.tsx";
import { ServedCard } from "../parts/feature/served-card.tsx";
import { StepList } from "../parts/feature/step-list.tsx";
import { SwitchFeature } from "../parts/feature/switch-feature.tsx";
import { UnsavedBar } from "../parts/feature/unsaved-bar.tsx";
import { VariantsCard } from "../parts/feature/variants-card.tsx";
import type { Config } from "../parts/form/schema-form.tsx";
import { Failed, Head, Loaded } from "../parts/states.tsx";
import { paletteOf } from "../parts/variant.tsx";
import { hrefOf } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Feature, Strategies } from "../wire.ts";

/** `/app/features/{key}`. */
export function FeaturePage({ name }: { name: string }) {
  const path = `/features/${encodeURIComponent(name)}`;
  const feature = useResource(path, (signal) => get<Feature>(path, signal));
  const known = useResource("strategies", (signal) => get<Strategies>("/strategies", signal));
  if (feature.value === undefined && feature.error?.status === 404) return <Missing error={feature.error} />;
  return (
    <Loaded of={feature}>
      {(stored) => (
        <Loaded of={known}>
          {(strategies) => <Editor key={stored.version} stored={stored} known={strategies} changed={feature.reload} />}
        </Loaded>
      )}
    </Loaded>
  );
}

function Missing({ error }: { error: ApiError }) {
  return (
    <>
      <Head title="There is no such feature" />
      <Failed error={error} />
      <p>
        It may have been deleted, or be in another environment. <a href="/">All features</a> are on the first page.
      </p>
    </>
  );
}

interface EditorProps {
  readonly stored: Feature;
  readonly known: Strategies;
  changed(): void;
}

function Editor({ stored, known, changed }: EditorProps) {
  const [draft, setDraft] = useState(stored);
  const [asked, setAsked] = useState<"save" | "switch" | "delete">();
  const edit = (changes: Partial<Feature>) => setDraft({ ...draft, ...changes });
  const close = () => setAsked(undefined);
  const variants = Object.keys(stored.variants);
  const placeOf = paletteOf(variants, stored.off_variant);
  return (
    <>
      <Title feature={stored} flip={() => setAsked("switch")} />
      <div class="halves">
        <ServedCard feature={stored} placeOf={placeOf} />
        <VariantsCard feature={stored} placeOf={placeOf} />
      </div>
      <section class="stack" aria-label="Steps">
        <div class="spread">
          <div>
            <h2>Steps</h2>
            <p class="soft small">Asked from top to bottom. The first that decides wins.</p>
          </div>
          <AddStep known={known} steps={draft.steps} feature={stored} change={(steps) => edit({ steps: [...steps] })} />
        </div>
        <StepList
          steps={draft.steps}
          set={(steps) => edit({ steps: [...steps] })}
          stored={stored}
          known={known}
          placeOf={placeOf}
        />
        <FallbackChoice
          value={draft.fallback_variant}
          variants={variants}
          change={(fallback_variant) => edit({ fallback_variant })}
        />
      </section>
      <ObjectiveCard
        objective={draft.objective as Config | null}
        known={known}
        variants={variants}
        change={(objective) => edit({ objective: objective as Feature["objective"] })}
      />
      {JSON.stringify(draft) !== JSON.stringify(stored) && (
        <UnsavedBar discard={() => setDraft(stored)} review={() => setAsked("save")} />
      )}
      <FeatureHistory feature={stored} restored={changed} />
      <div>
        <button type="button" class="small danger" onClick={() => setAsked("delete")}>
          Delete this feature
        </button>
      </div>
      {asked === "save" && (
        <SaveFeature before={stored} after={draft} close={close} saved={changed} title="Save the change?" />
      )}
      {asked === "switch" && <SwitchFeature feature={stored} close={close} switched={changed} />}
      {asked === "delete" && <DeleteFeature feature={stored} close={close} />}
    </>
  );
}

function Title({ feature, flip }: { feature: Feature; flip: () => void }) {
  const { key, name, description, enabled, off_variant } = feature;
  return (
    <>
      <Head
        title={name}
        lead={
          <>
            <code>{key}</code>
            {description !== null && ` · ${description}`}
          </>
        }
      >
        <span class={`chip ${enabled ? "good" : ""}`}>{enabled ? "On" : "Off"}</span>
        <a class="button" href={hrefOf("/app/explain", { feature: key })}>
          Explain
        </a>
        <button type="button" class={enabled ? "danger" : "primary"} onClick={flip}>
          {enabled ? "Switch off" : "Switch on"}
        </button>
      </Head>
      {!enabled && (
        <p class="note warn">
          Switched off: everybody gets <b>{off_variant}</b>, and no step is asked.
        </p>
      )}
    </>
  );
}
