import { call } from "../../api.ts";
import type { Feature } from "../../wire.ts";
import { Dialog, Reason } from "../dialog.tsx";
import { say } from "../toast.tsx";
import { writeOf } from "./feature-write.ts";

/** The kill switch, which asks why; and back on again. */
export function SwitchFeature({ feature, switched }: { feature: Feature; switched: () => void }) {
  const { key, name, enabled, off_variant, version } = feature;
  return (
    <Dialog
      title={enabled ? `Switch off ${name}?` : `Switch on ${name}?`}
      action={enabled ? "Switch off" : "Switch on"}
      danger={enabled}
      submit={async (form) => {
        const body = { ...writeOf(feature), enabled: !enabled };
        const reason = String(form.get("reason") ?? "");
        await call("PUT", `/features/${encodeURIComponent(key)}`, body, { reason, version });
        say(enabled ? `${name} is off` : `${name} is on`);
        switched();
      }}
    >
      <p>
        {enabled ? (
          <>
            Everybody gets <b>{off_variant}</b> at once, whatever the steps, models and experiments say.
          </>
        ) : (
          "The steps decide again, for everybody as before."
        )}
      </p>
      <Reason required={enabled} hint="Kept in the history" />
    </Dialog>
  );
}
