import type { Aggregate, Profile } from "../../core/event/profile.ts";
import type { ProfileStore } from "../../core/ports.ts";
import type * as users from "../http/routes/users.ts";
import type { Caller } from "./caller.ts";

/** The server's profiles: what models know of a user beside the attributes. Of the caller's environment, whatever is asked. */
export function remoteProfiles(caller: Caller): ProfileStore {
  return {
    async read(_, user_id): Promise<Profile> {
      const { profile } = await caller.call<typeof users.read>("get", "/users/{user_id}", { params: { user_id } });
      // fromEntries, unlike assignment, keeps an event type named __proto__ an ordinary entry.
      return Object.fromEntries(
        profile.map(({ event_type, count, first_at, last_at, value_sum }): [string, Aggregate] => [
          event_type,
          { count, first_at: Date.parse(first_at), last_at: Date.parse(last_at), value_sum },
        ]),
      );
    },
  };
}
