import { useEffect, useState } from "preact/hooks";
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
import { closeDialog, hrefOf, openDialog, openedDialog, unsaved } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Feature, Strategies } from "../wire.ts";

/** `/app/features/{key}`: what is changed on it stays, whatever else happens to the feature, until it is saved or discarded. */
export function FeaturePage({ name }: { name: string }) {
  const path = `/features/${encodeURIComponent(name)}`;
  const feature = useResource(path, (signal) => get<Feature>(path, signal));
  const [edits, setEdits] = useState<Edits>({});
  const known = useResource("strategies", (signal) => get<Strategies>("/strategies", signal));
  if (feature.value === undefined && feature.error?.status === 404) return <Missing error={feature.error} />;
  return (
    <Loaded of={feature}>
      {(stored) => (
        <Loaded of={known}>
          {(strategies) => (
            <Editor
              key={stored.version}
              stored={stored}
              known={strategies}
              changes={(edits.savedIn ?? stored.version) < stored.version ? {} : (edits.changes ?? {})}
              change={setEdits}
              reload={feature.reload}
            />
          )}
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

interface Edits {
  readonly changes?: Partial<Feature>;
  /** The version they were saved over: the next one has them. */
  readonly savedIn?: number;
}

interface EditorProps {
  readonly stored: Feature;
  readonly known: Strategies;
  readonly changes: Partial<Feature>;
  change(edits: Edits): void;
  reload(): void;
}

function Editor({ stored, known, changes, change, reload }: EditorProps) {
  const draft = { ...stored, ...changes };
  const edited = JSON.stringify(draft) !== JSON.stringify(stored);
  const edit = (more: Partial<Feature>) => change({ changes: { ...changes, ...more } });
  const open = openedDialog();
  useEffect(() => {
    unsaved.value = edited;
    // A link to a review opens where nothing is changed.
    if (!edited && open === "save") closeDialog();
    return () => {
      unsaved.value = false;
    };
  }, [edited]);
  const saved = () => {
    change({ changes, savedIn: stored.version });
    reload();
  };
  const variants = Object.keys(stored.variants);
  const placeOf = paletteOf(variants, stored.off_variant);
  return (
    <>
      <Title feature={stored} flip={() => openDialog(stored.enabled ? "switch-off" : "switch-on")} />
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
      {edited && <UnsavedBar discard={() => change({})} review={() => openDialog("save")} />}
      <FeatureHistory feature={stored} restored={reload} />
      <div>
        <button type="button" class="small danger" onClick={() => openDialog("delete")}>
          Delete this feature
        </button>
      </div>
      {open === "save" && edited && (
        <SaveFeature before={stored} after={draft} saved={saved} title="Save the change?" />
      )}
      {open === (stored.enabled ? "switch-off" : "switch-on") && <SwitchFeature feature={stored} switched={reload} />}
      {open === "delete" && <DeleteFeature feature={stored} />}
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
