import { useState } from "preact/hooks";
import { ApiError, call } from "../api.ts";
import { go, hrefOf } from "../router.ts";
import { Failed } from "./states.tsx";

/** Nothing is here yet: own feature, or an example that leads to a first decision at once. */
export function FirstVisit({ create, done }: { create: () => void; done: () => void }) {
  const [busy, setBusy] = useState("");
  const [error, setError] = useState<ApiError>();

  async function demo() {
    setError(undefined);
    try {
      await makeDemo(setBusy);
      done();
      const attributes = JSON.stringify({ plan: "pro", visits: 14, device: "phone" });
      go(hrefOf("/app/explain", { feature: DEMO, user: "ada", attributes }));
    } catch (cause) {
      setError(cause instanceof ApiError ? cause : new ApiError(0, "error", String(cause)));
      setBusy("");
    }
  }

  return (
    <section class="card empty">
      <h2>Nothing is released yet</h2>
      <p>
        Create your first feature, or load an example: a checkout with a rollout, 400 users’ events, and a model that
        learns from them for whom it decides. It takes a few seconds.
      </p>
      {busy === "" ? (
        <div class="row">
          <button type="button" class="primary" onClick={demo}>
            Load the example
          </button>
          <button type="button" onClick={create}>
            Create a feature
          </button>
        </div>
      ) : (
        <p role="status">{busy}</p>
      )}
      {error !== undefined && <Failed error={error} retry={demo} />}
    </section>
  );
}

const DEMO = "example-checkout";
const USERS = 400;
const HOUR = 3_600_000;

/** What the README's first success does, by the same public calls. */
async function makeDemo(tell: (doing: string) => void): Promise<void> {
  tell("Creating the feature …");
  const feature = {
    key: DEMO,
    name: "Example checkout",
    description: "A model decides for whom; where it cannot, 25 % of users get it",
    rollout_percentage: 25,
    ml_enabled: true,
    ml_threshold_value: 0.5,
  };
  await call("POST", "/features", feature, { reason: "The example" }).catch(unlessThere);
  tell("Sending 400 users’ events …");
  await call("POST", "/ingest/events", { source: "example", events: demoEvents(Date.now() - 20 * 24 * HOUR) });
  tell("Training a model …");
  try {
    await call("POST", "/train", { feature_key: DEMO });
  } catch (error) {
    // Without a worker there is no model, and the rollout decides: that is worth seeing too.
    if (!(error instanceof ApiError) || error.status < 400 || error.status === 401) throw error;
  }
  tell("Deciding for everybody …");
  const users = Array.from({ length: USERS }, (_, i) => ({ user_id: `user-${i}`, ...attributesOf(i) }));
  await call("POST", "/evaluate/batch", { feature_key: DEMO, users });
}

function unlessThere(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 409)) throw error;
}

function attributesOf(i: number) {
  return { plan: i % 2 === 1 ? "pro" : "free", visits: (i * 7) % 20, device: i % 3 === 0 ? "phone" : "desktop" };
}

/** Everybody looked; pro users, frequent visitors and those at a desk used it an hour later more often than others. */
function demoEvents(start: number): object[] {
  return Array.from({ length: USERS }, (_, i) => {
    const attributes = attributesOf(i);
    const event = (event_type: string, at: number, properties: object) => ({
      event_id: `example-${i}-${event_type}`,
      user_id: `user-${i}`,
      feature_key: DEMO,
      event_type,
      timestamp: new Date(at).toISOString(),
      properties,
    });
    const at = start + i * HOUR;
    const { plan, visits, device } = attributes;
    const likely = (plan === "pro" ? 0.45 : 0.05) + visits / 50 + (device === "phone" ? 0 : 0.15);
    // A number between 0 and 1 that is the same for the same user each time.
    const used = ((i * 2_654_435_761) % 4_294_967_296) / 4_294_967_296 < likely;
    return [event("view", at, attributes), ...(used ? [event("used_feature", at + HOUR, {})] : [])];
  }).flat();
}
