import { call, get } from "../../api.ts";
import { diffJson } from "../../diff.ts";
import { useResource } from "../../use-resource.ts";
import type { Experiment, Feature, Preview } from "../../wire.ts";
import { count, counted } from "../../words.ts";
import { Dialog, Reason } from "../dialog.tsx";
import { Loaded } from "../states.tsx";
import { say } from "../toast.tsx";
import { Diff } from "./diff.tsx";
import { comparable, writeOf } from "./feature-write.ts";

/** Before a feature is written: what would be different, and how many of its last decisions would have been. */
export function SaveFeature({
  before,
  after,
  title,
  reason = "",
  saved,
}: {
  before: Feature;
  after: Feature;
  title: string;
  reason?: string;
  saved: () => void;
}) {
  const write = writeOf(after);
  const path = `/features/${encodeURIComponent(before.key)}`;
  const preview = useResource(`preview ${JSON.stringify(write)}`, (signal) =>
    call<Preview>("POST", `${path}/preview`, write, { signal }),
  );
  const experiments = useResource("experiments", (signal) => get<Experiment[]>("/experiments", signal));
  return (
    <Dialog
      title={title}
      action="Save"
      submit={async (form) => {
        const why = String(form.get("reason") ?? "") || reason;
        await call("PUT", path, write, { reason: why, version: before.version });
        say("Saved. It is served from now on");
        saved();
      }}
    >
      <Loaded of={preview}>{(found) => <WouldChange preview={found} />}</Loaded>
      {experiments.value?.some(({ enabled, feature_key }) => enabled && feature_key === before.key) && (
        <p class="note warn">An experiment runs on this feature and decides before the steps, until it ends.</p>
      )}
      <Diff lines={diffJson(comparable(before), comparable(after))} />
      <Reason />
    </Dialog>
  );
}

function WouldChange({ preview: { decisions, changed, moves, without_attributes } }: { preview: Preview }) {
  if (decisions === 0)
    return <p class="note">No decision of this feature is stored yet, so nothing can be compared.</p>;
  return (
    <div class="note" role="status">
      <p>
        Of the last {counted(decisions, "decision")}, <b>{count(changed)}</b> would change
        {moves.length > 0 &&
          `: ${moves.map((move) => `${count(move.decisions)} ${move.from} → ${move.to}`).join(", ")}`}
        .
      </p>
      {without_attributes > 0 && (
        <p class="hint">
          Of {without_attributes === decisions ? "these" : counted(without_attributes, "decision")} only the user’s id
          was kept, so conditions on attributes count as missing.
        </p>
      )}
    </div>
  );
}
