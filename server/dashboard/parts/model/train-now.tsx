import { call } from "../../api.ts";
import { openDialog, openedDialog } from "../../router.ts";
import { Dialog } from "../dialog.tsx";
import { say } from "../toast.tsx";

export function TrainNow({ feature, trained }: { feature: string; trained: () => void }) {
  return (
    <>
      <button type="button" class="primary" onClick={() => openDialog("train")}>
        Train now
      </button>
      {openedDialog() === "train" && (
        <Dialog
          title={feature === "" ? "Train the global model?" : `Train a model for ${feature}?`}
          action="Train"
          submit={async (form) => {
            const learner = String(form.get("learner"));
            await call("POST", "/train/async", { feature_key: feature === "" ? null : feature, learner });
            say("Queued");
            trained();
          }}
        >
          <p>
            It learns from what is stored now, and goes live only when it passes its gate.
            {feature === "" && " A global model decides for every feature that has none of its own."}
          </p>
          <div>
            <label for="learner">Learner</label>
            <select id="learner" name="learner">
              <option value="auto">Automatic: tries all, keeps the best</option>
              <option value="logistic">Logistic regression</option>
              <option value="trees">Boosted trees</option>
              <option value="svm">Support vector machine</option>
              <option value="ridge">Ridge (for bandits)</option>
            </select>
          </div>
        </Dialog>
      )}
    </>
  );
}
