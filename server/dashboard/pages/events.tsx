import { get } from "../api.ts";
import { Heads } from "../parts/heads.tsx";
import { ImportCard } from "../parts/import-card.tsx";
import { Head, Loaded } from "../parts/states.tsx";
import { go, hrefOf, query, setQuery, userHref } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { StoredEvent } from "../wire.ts";
import { ago, shown } from "../words.ts";

/** `/app/users?type=`: find a user, see the newest events, import a file of them. */
export function EventsPage() {
  const type = query("type");
  const events = useResource(
    `events ${type}`,
    (signal) => get<StoredEvent[]>(hrefOf("/events", { event_type: type, limit: "25" }), signal),
    { every: 5_000 },
  );
  return (
    <>
      <Head title="Users" lead="What users did, and what is known of one of them." />
      <div class="halves">
        <form
          class="card stack"
          onSubmit={(event) => {
            event.preventDefault();
            const id = String(new FormData(event.currentTarget as HTMLFormElement).get("id"));
            if (id !== "") go(userHref(id));
          }}
        >
          <h2>Find a user</h2>
          <div>
            <label for="id">User id</label>
            <input id="id" name="id" required maxLength={200} autocomplete="off" spellcheck={false} />
          </div>
          <div>
            <button type="submit" class="primary">
              Show
            </button>
          </div>
        </form>
        <ImportCard done={events.reload} />
      </div>
      <section class="card stack">
        <div class="spread">
          <h2>Newest events</h2>
          <input
            aria-label="Event type"
            placeholder="Event type"
            value={type}
            style={{ width: "11rem" }}
            onChange={({ currentTarget }) => setQuery({ type: currentTarget.value })}
          />
        </div>
        <Loaded of={events}>
          {(list) =>
            list.length === 0 ? (
              <p class="soft empty">
                {type === ""
                  ? "No event is stored yet. Send them to POST /events, or import a file."
                  : `No event of the type “${type}”.`}
              </p>
            ) : (
              <table class="cards">
                <Heads names={["User", "Event", "Feature", "Properties", "When"]} />
                <tbody>
                  {list.map(({ id, user_id, event_type, feature_key, properties, timestamp }) => (
                    <tr key={id}>
                      <td class="break">
                        <a href={userHref(user_id)}>{user_id}</a>
                      </td>
                      <td class="break">{event_type}</td>
                      <td class="break soft">{feature_key}</td>
                      <td class="mono soft break wide">
                        {Object.keys(properties).length === 0 ? "" : shown(properties, 70)}
                      </td>
                      <td class="small soft">{ago(timestamp)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </section>
    </>
  );
}
