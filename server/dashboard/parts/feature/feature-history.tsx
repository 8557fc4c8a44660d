import { get } from "../../api.ts";
import { diffJson } from "../../diff.ts";
import { openDialog, openedDialog } from "../../router.ts";
import { useResource } from "../../use-resource.ts";
import type { Feature, Revisions } from "../../wire.ts";
import { ago, counted, when } from "../../words.ts";
import { Panel } from "../panel.tsx";
import { Loaded } from "../states.tsx";
import { Diff } from "./diff.tsx";
import { comparable } from "./feature-write.ts";
import { SaveFeature } from "./save-feature.tsx";

/** Who changed what, when and why; each version can be had again. */
export function FeatureHistory({ feature, restored }: { feature: Feature; restored: () => void }) {
  const path = `/features/${encodeURIComponent(feature.key)}/revisions`;
  const history = useResource(`${path} ${feature.version}`, (signal) => get<Revisions>(path, signal));
  const asked = Number(/^restore-(\d+)$/.exec(openedDialog())?.[1]);
  const back = history.value?.revisions.find(({ version }) => version === asked && version < feature.version);
  return (
    <section class="card">
      <h2>History</h2>
      <Loaded of={history}>
        {({ revisions }) => (
          <ol class="timeline">
            {revisions.slice(0, 30).map((revision, index) => (
              <li key={`${revision.version} ${revision.at}`}>
                <div class="spread">
                  <div class="grow">
                    <b>Version {revision.version}</b>{" "}
                    <span class="soft small">
                      {revision.actor},{" "}
                      <time dateTime={revision.at} title={when(revision.at)}>
                        {ago(revision.at)}
                      </time>
                    </span>
                    {revision.reason !== null && <p class="break">“{revision.reason}”</p>}
                  </div>
                  {index > 0 && revision.definition !== null && (
                    <button type="button" class="small" onClick={() => openDialog(`restore-${revision.version}`)}>
                      Restore
                    </button>
                  )}
                </div>
                <Changes of={revision} since={revisions[index + 1]} />
              </li>
            ))}
          </ol>
        )}
      </Loaded>
      {back?.definition && (
        <SaveFeature
          title={`Restore version ${back.version}?`}
          before={feature}
          after={{ ...feature, ...(back.definition as Partial<Feature>) }}
          reason={`Restore version ${back.version}`}
          saved={restored}
        />
      )}
    </section>
  );
}

type Revision = Revisions["revisions"][number];

function Changes({ of, since }: { of: Revision; since: Revision | undefined }) {
  if (of.definition === null) return <p class="small soft">Deleted</p>;
  if (since === undefined || since.definition === null) return <p class="small soft">Created</p>;
  const [before, after] = [since.definition, of.definition] as unknown as [Feature, Feature];
  const lines = diffJson(comparable(before), comparable(after), 0);
  return (
    <Panel
      name={`version-${of.version}`}
      class="small"
      summary={lines.length === 0 ? "Changed in words only" : counted(lines.length, "changed line")}
    >
      <Diff lines={lines} />
    </Panel>
  );
}
