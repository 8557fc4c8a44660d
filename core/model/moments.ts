import { addEvent, type Profile } from "../event/profile.ts";
import type { Example } from "./dataset.ts";
import { type FeatureRow, featureRow } from "./feature-row.ts";

/** Something in a user's history, as the database streams it. */
export interface Happening {
  readonly user_id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly event_type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** True when it reaches the objective. */
  readonly positive: boolean;
  /** True when a decision is imagined (or was made) at this moment. */
  readonly moment: boolean;
  /** The row as served, for decisions that were stored; they are no events. */
  readonly served?: FeatureRow | undefined;
}

export interface MomentsOptions {
  /** Attribution window in milliseconds: positive events in (t, t + window) make the label. */
  readonly window: number;
  /** Until when events are known, milliseconds since the epoch: later windows have not passed. */
  readonly end: number;
  /** Instead of moments of their own: one for every user known before it, at this time, with no attributes. */
  readonly cut?: number | undefined;
}

export interface Moments {
  /** The next happening. A user's come one after another, in the order of time. Calls back with the examples of finished users. */
  add(happening: Happening): void;
  /** After the last. */
  finish(): void;
  readonly counts: { readonly users: number; readonly immature: number; readonly capped: number };
}

/** Moments of one user that are learned from, evenly spread over all the user has: 10,000 events weigh no more than 20. */
export const MAX_MOMENTS = 20;
const DAY = 86_400_000;

/**
 * Walks through the users' histories and makes examples of them, each from the events strictly before its moment; its label
 * from the positive events strictly after it, inside the window. The event that is the moment itself, and others of the same
 * millisecond, are in neither. Only the first moment of a user and UTC day counts, and at most 20 of a user, evenly spread.
 *
 * Needs memory for one user's moments only.
 */
export function createMoments(options: MomentsOptions, emit: (example: Example) => void): Moments {
  const counts = { users: 0, immature: 0, capped: 0 };
  let user: UserWalk | undefined;
  const finish = () => {
    if (user === undefined) return;
    const { examples, immature, capped } = user.end();
    counts.immature += immature;
    counts.capped += capped;
    for (const example of examples) emit(example);
    user = undefined;
  };
  return {
    counts,
    add(happening) {
      if (user?.user_id !== happening.user_id) {
        finish();
        user =
          options.cut === undefined
            ? walk(happening.user_id, options)
            : walkCut(happening.user_id, options.cut, options);
        counts.users++;
      }
      user.add(happening);
    },
    finish,
  };
}

interface UserWalk {
  readonly user_id: string;
  add(happening: Happening): void;
  end(): { readonly examples: readonly Example[]; readonly immature: number; readonly capped: number };
}

interface OpenExample {
  readonly unit: string;
  readonly at: number;
  readonly row: FeatureRow;
  label: boolean;
}

function walk(user_id: string, { window, end }: MomentsOptions): UserWalk {
  const past = createPast();
  const examples: OpenExample[] = [];
  let undecided: OpenExample[] = [];
  let day = Number.NEGATIVE_INFINITY;
  let immature = 0;
  let capped = 0;
  return {
    user_id,
    add(happening) {
      const { at, positive, moment, served } = happening;
      if (positive && undecided.length > 0) {
        for (const example of undecided) if (at > example.at && at < example.at + window) example.label = true;
        undecided = undecided.filter((example) => !example.label && at < example.at + window);
      }
      const profile = past.before(at);
      if (moment) {
        if (at + window > end) immature++;
        else if (Math.floor(at / DAY) === day) capped++;
        else {
          day = Math.floor(at / DAY);
          const row = served ?? featureRow(happening.properties, profile, at);
          const example = { unit: user_id, at, row, label: false };
          examples.push(example);
          undecided.push(example);
        }
      }
      if (served === undefined) past.add(happening);
    },
    end() {
      const kept = evenly(examples, MAX_MOMENTS);
      return { examples: kept, immature, capped: capped + examples.length - kept.length };
    },
  };
}

function walkCut(user_id: string, cut: number, { window, end }: MomentsOptions): UserWalk {
  let before: Profile | undefined;
  let label = false;
  return {
    user_id,
    add(happening) {
      const { at, positive } = happening;
      if (at < cut) before = addEvent(before ?? {}, happening);
      else if (positive && at < cut + window) label = true;
    },
    end() {
      if (before === undefined) return { examples: [], immature: 0, capped: 0 };
      if (cut + window > end) return { examples: [], immature: 1, capped: 0 };
      return {
        examples: [{ unit: user_id, at: cut, row: featureRow({}, before, cut), label }],
        immature: 0,
        capped: 0,
      };
    },
  };
}

/** The profile of the events strictly before a time; those of the very same time wait. */
function createPast() {
  let profile: Profile = {};
  let waiting: Happening[] = [];
  const before = (at: number): Profile => {
    const first = waiting[0];
    if (first !== undefined && first.at < at) {
      for (const happening of waiting) profile = addEvent(profile, happening);
      waiting = [];
    }
    return profile;
  };
  return { before, add: (happening: Happening) => void waiting.push(happening) };
}

/** At most `limit` of them, first and last included, evenly spread. */
export function evenly<T>(items: readonly T[], limit: number): readonly T[] {
  if (items.length <= limit) return items;
  return Array.from({ length: limit }, (_, i) => items[Math.round((i * (items.length - 1)) / (limit - 1))] as T);
}
