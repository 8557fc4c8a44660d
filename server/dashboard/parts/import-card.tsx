import { useRef, useState } from "preact/hooks";
import { ApiError, refusal, send } from "../api.ts";
import { eventsOf } from "../read-stream.ts";
import type { ImportAnswer, ImportProgress } from "../wire.ts";
import { count, counted, percent } from "../words.ts";
import { Heads } from "./heads.tsx";
import { Scroll } from "./scroll.tsx";
import { Failed } from "./states.tsx";

type State =
  | { readonly is: "idle" | "uploading" }
  | { readonly is: "importing"; readonly progress: ImportProgress }
  | { readonly is: "done"; readonly answer: ImportAnswer }
  | { readonly is: "cancelled"; readonly stored: number | undefined }
  | { readonly is: "failed"; readonly error: ApiError };

/** A file of events, with how far it is while it goes on, and every line that was not taken. `done`: something was stored. */
export function ImportCard({ done }: { done: () => void }) {
  const [state, setState] = useState<State>({ is: "idle" });
  const running = useRef<AbortController | undefined>(undefined);
  const busy = state.is === "uploading" || state.is === "importing";

  async function upload(event: SubmitEvent) {
    event.preventDefault();
    const controller = new AbortController();
    running.current = controller;
    let stored: number | undefined;
    setState({ is: "uploading" });
    try {
      const form = new FormData(event.currentTarget as HTMLFormElement);
      for await (const { event, data } of imported(form, controller.signal))
        if (event === "progress") {
          const progress = JSON.parse(data) as ImportProgress;
          stored = progress.inserted_rows;
          setState({ is: "importing", progress });
        } else if (event === "done") setState({ is: "done", answer: JSON.parse(data) as ImportAnswer });
        else throw refusal(422, data);
    } catch (cause) {
      if (controller.signal.aborted) setState({ is: "cancelled", stored });
      else setState({ is: "failed", error: cause instanceof ApiError ? cause : lost(cause) });
    }
    done();
  }

  return (
    <form class="card stack" aria-label="Import a CSV file" onSubmit={upload}>
      <h2>Import a CSV file</h2>
      <div>
        <label for="csv">File with the columns timestamp, visitorid, event, itemid</label>
        <input id="csv" type="file" name="csv_file" accept=".csv,.gz,text/csv" required />
      </div>
      <div>
        <label for="mode">Its events belong to</label>
        <select id="mode" name="feature_key_mode">
          <option value="single">one feature, dataset_import</option>
          <option value="item">a feature for each item</option>
        </select>
      </div>
      <div class="row">
        <button type="submit" disabled={busy}>
          Import
        </button>
        {busy && (
          <button type="button" onClick={() => running.current?.abort()}>
            Cancel
          </button>
        )}
      </div>
      <Told state={state} />
    </form>
  );
}

/** What the server says; it ends with `done` or `failed`. */
async function* imported(form: FormData, signal: AbortSignal) {
  const response = await send("POST", "/simulate", form, { accept: "text/event-stream", signal });
  if (!response.ok || response.body === null) throw refusal(response.status, await response.text());
  for await (const event of eventsOf(response.body)) {
    yield event;
    if (event.event !== "progress") return;
  }
  throw lost();
}

function lost(cause?: unknown): ApiError {
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  return new ApiError(0, "lost", `The connection was lost${why}. Import the file again: nothing is stored twice.`);
}

function Told({ state }: { state: State }) {
  switch (state.is) {
    case "idle":
      return null;
    case "uploading":
      return (
        <div class="stack" role="status">
          <progress aria-label="Uploading" />
          <p class="small soft">Uploading …</p>
        </div>
      );
    case "importing":
      return <Progress progress={state.progress} />;
    case "failed":
      return <Failed error={state.error} />;
    case "cancelled":
      return (
        <p class="note warn" role="status">
          Cancelled{state.stored === undefined ? "." : ` after ${counted(state.stored, "event")}, which stay.`}{" "}
          Importing the file again stores nothing twice.
        </p>
      );
    case "done":
      return <Answer answer={state.answer} />;
  }
}

function Progress({ progress }: { progress: ImportProgress }) {
  const { raw_rows_processed, inserted_rows, rejected_rows, bytes_read, bytes_total } = progress;
  const share = bytes_read === null || bytes_total === null ? undefined : bytes_read / Math.max(bytes_total, 1);
  return (
    <div class="stack">
      <progress aria-label="Importing" {...(share === undefined ? {} : { value: share })} />
      <p class="small soft nums">
        {share !== undefined && `${percent(share, 0)} · `}
        {counted(raw_rows_processed, "row")} read, {count(inserted_rows)} stored, {count(rejected_rows)} rejected
      </p>
    </div>
  );
}

function Answer({ answer }: { answer: ImportAnswer }) {
  const { inserted_rows, normalized_rows, raw_rows_processed, rejected_rows, rejects, features_auto_created } = answer;
  const before = normalized_rows - inserted_rows;
  return (
    <>
      <p class={`note ${rejected_rows > 0 ? "warn" : "good"}`} role="status">
        {counted(inserted_rows, "event")} stored of {counted(raw_rows_processed, "row")}
        {before > 0 && `; ${count(before)} were there before`}
        {features_auto_created > 0 && `; ${counted(features_auto_created, "feature")} created`}; {count(rejected_rows)}{" "}
        rejected.
      </p>
      {rejects.length > 0 && (
        <div class="tall">
          <h3>Rejected lines</h3>
          {rejected_rows > rejects.length && <p class="small soft">The first {rejects.length}.</p>}
          <Scroll label="Rejected lines">
            <table class="compact">
              <Heads names={["Line", "Why"]} figures={["Line"]} />
              <tbody>
                {rejects.map(({ line, field, message }) => (
                  <tr key={line}>
                    <td class="num">{line}</td>
                    <td class="break">
                      {field !== undefined && <code>{field}</code>} {message}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </div>
      )}
    </>
  );
}
