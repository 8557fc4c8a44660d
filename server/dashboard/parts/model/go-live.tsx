import { ApiError, call } from "../../api.ts";
import { openDialog } from "../../router.ts";
import type { Model } from "../../wire.ts";
import { Dialog, Reason } from "../dialog.tsx";
import { say } from "../toast.tsx";

export type GoingLive = "promote" | "force" | "rollback";

/** Promotes a candidate, against the verdict when forced, or makes an earlier version live again; asks why. */
export function GoLive({
  model: { model_version, verdict },
  how,
  done,
}: {
  model: Model;
  how: GoingLive;
  done: () => void;
}) {
  const title = { promote: "Promote", force: "Promote against the verdict", rollback: "Make live again" }[how];
  const path = `/models/${encodeURIComponent(model_version)}`;
  return (
    <Dialog
      key={how}
      title={`${title}: ${model_version}`}
      action={title}
      danger={how === "force"}
      submit={async (form) => {
        const reason = String(form.get("reason") ?? "") || undefined;
        if (how === "rollback") await call("POST", `${path}/rollback`, { reason });
        else
          try {
            await call("POST", `${path}/promote`, { reason, force: how === "force" });
          } catch (error) {
            if (error instanceof ApiError && error.code === "not_better")
              throw new ApiError(
                409,
                error.code,
                `${error.message} To promote it all the same, choose “Promote anyway”.`,
              );
            throw error;
          }
        say(`${model_version} is live`);
        done();
      }}
    >
      <p>It decides for all of the model’s users at once, and the present live model is retired.</p>
      <p class="note">
        <b>Verdict of the gate.</b> {verdict}
      </p>
      <Reason required={how === "force"} hint="Kept in the audit log" />
      {how === "promote" && (
        <p>
          <button type="button" class="small danger" onClick={() => openDialog("force")}>
            Promote anyway …
          </button>
        </p>
      )}
    </Dialog>
  );
}
