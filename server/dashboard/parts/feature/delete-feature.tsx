import { call } from "../../api.ts";
import { go, unsaved } from "../../router.ts";
import type { Feature } from "../../wire.ts";
import { Dialog, Reason } from "../dialog.tsx";
import { say } from "../toast.tsx";

export function DeleteFeature({ feature: { key, name, version } }: { feature: Feature }) {
  return (
    <Dialog
      title={`Delete ${name}?`}
      action="Delete"
      danger
      submit={async (form) => {
        const reason = String(form.get("reason") ?? "");
        await call("DELETE", `/features/${encodeURIComponent(key)}`, undefined, { reason, version });
        say(`${name} is deleted`);
        unsaved.value = false;
        go("/");
      }}
    >
      <p>Whoever asks for it is told that there is no such feature. Its history stays.</p>
      <Reason required />
    </Dialog>
  );
}
