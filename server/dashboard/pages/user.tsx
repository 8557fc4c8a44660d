import { get } from "../api.ts";
import { Heads } from "../parts/heads.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { Head, Loaded } from "../parts/states.tsx";
import { featureHref, hrefOf } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { StoredDecisions, StoredEvent, UserProfile } from "../wire.ts";
import { ago, count, SOURCES, shown, trimmed, when } from "../words.ts";

/** `/app/users/{id}`: what is known of a user, what was decided, what the user did. */
export function UserPage({ id }: { id: string }) {
  const user = useResource(`user ${id}`, (signal) => get<UserProfile>(`/users/${encodeURIComponent(id)}`, signal));
  const decisions = useResource(`decisions ${id}`, (signal) =>
    get<StoredDecisions>(hrefOf("/decisions", { user_id: id, limit: "50" }), signal),
  );
  const events = useResource(`events ${id}`, (signal) =>
    get<StoredEvent[]>(hrefOf("/events", { user_id: id, limit: "50" }), signal),
  );
  return (
    <>
      <Head title={id} lead="What is known of this user, what was decided, and what the user did.">
        <a class="button" href="/app/users">
          Another user
        </a>
      </Head>
      <section class="card">
        <h2>Profile</h2>
        <Loaded of={user}>
          {({ profile }) =>
            profile.length === 0 ? (
              <p class="soft">No event of this user is stored.</p>
            ) : (
              <Scroll label="Profile">
                <table class="compact">
                  <Heads names={["Event", "Times", "Worth", "First", "Last"]} figures={["Times", "Worth"]} />
                  <tbody>
                    {profile.map(({ event_type, count: times, value_sum, first_at, last_at }) => (
                      <tr key={event_type}>
                        <td class="break named">{event_type}</td>
                        <td class="num">{count(times)}</td>
                        <td class="num">{value_sum === 0 ? "–" : trimmed(value_sum)}</td>
                        <td class="small soft nowrap">{when(first_at)}</td>
                        <td class="small soft nowrap">{ago(last_at)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
            )
          }
        </Loaded>
      </section>
      <div class="halves">
        <section class="card">
          <h2>Decisions</h2>
          <Loaded of={decisions}>{({ decisions: list }) => <Decisions list={list} />}</Loaded>
        </section>
        <section class="card">
          <h2>Events</h2>
          <Loaded of={events}>{(list) => <Events list={list} />}</Loaded>
        </section>
      </div>
    </>
  );
}

function Decisions({ list }: { list: StoredDecisions["decisions"] }) {
  if (list.length === 0) return <p class="soft">Nothing was decided for this user yet.</p>;
  return (
    <ul class="lines">
      {list.map(({ decision_id, at, feature_key, user_id, variant, enabled, decision_source }) => (
        <li key={decision_id} class="spread">
          <span class="break">
            <a href={featureHref(feature_key)}>{feature_key}</a>{" "}
            <span class="variant">
              <i class={`swatch p${enabled ? 1 : 0}`} />
              {variant}
            </span>{" "}
            <span class="small soft">
              by {SOURCES[decision_source] ?? decision_source}, {ago(at)}
            </span>
          </span>
          <a
            class="small"
            aria-label={`Why ${feature_key} served ${variant}`}
            href={hrefOf("/app/explain", { decision: decision_id, user: user_id, feature: feature_key })}
          >
            Why?
          </a>
        </li>
      ))}
    </ul>
  );
}

function Events({ list }: { list: readonly StoredEvent[] }) {
  if (list.length === 0) return <p class="soft">No event of this user is stored.</p>;
  return (
    <ul class="lines">
      {list.map(({ id, event_type, feature_key, timestamp, properties }) => (
        <li key={id}>
          <b class="break">{event_type}</b> <span class="small soft">{feature_key}, </span>
          <time class="small soft" dateTime={timestamp} title={timestamp}>
            {ago(timestamp)}
          </time>
          {Object.keys(properties).length > 0 && <div class="mono soft break">{shown(properties, 120)}</div>}
        </li>
      ))}
    </ul>
  );
}
