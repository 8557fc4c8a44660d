import { call } from "../../api.ts";
import type { Feature } from "../../wire.ts";
import { Dialog, Reason } from "../dialog.tsx";
import { say } from "../toast.tsx";

export function DeleteFeature({ feature: { key, name, version }, close }: { feature: Feature; close: () => void }) {
  return (
    <Dialog
      title={`Delete ${name}?`}
      action="Delete"
      danger
      close={close}
      submit={async (form) => {
        const reason = String(form.get("reason") ?? "");
        await call("DELETE", `/features/${encodeURIComponent(key)}`, undefined, { reason, version });
        say(`${name} is deleted`);
        location.assign("/");
      }}
    >
      <p>Whoever asks for it is told that there is no such feature. Its history stays.</p>
      <Reason required />
    </Dialog>
  );
}
