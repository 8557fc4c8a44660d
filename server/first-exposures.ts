/** Tells first exposures from repeated ones, in bounded memory. What users are exposed to has numbers, given out by the caller. */
export interface FirstExposures {
  /** `at`: milliseconds since the epoch. */
  knows(userId: string, thing: number, at: number): boolean;
  remember(userId: string, thing: number): void;
}

/** What one user was exposed to, in the order of the exposures, and where it was last found. */
interface Seen {
  things: number[] | undefined;
  next: number;
}

const DAY = 86_400_000;

/** A user's first exposure takes about so many times the memory of each further one. */
const USER_WEIGHT = 16;

/**
 * Remembers at least the last `generationSize` users (default 100,000) who were exposed to one thing, as many as take the same
 * memory when they were exposed to more, and at most twice as many: when a generation is full, the one before it is
 * forgotten as a whole. A new UTC day forgets everything, so each day has its own first exposures. What was forgotten is
 * only stored once more than needed.
 */
export function createFirstExposures({ generationSize = 100_000 }: { generationSize?: number } = {}): FirstExposures {
  let present = new Map<string, number[]>();
  let earlier = new Map<string, number[]>();
  let weight = 0;
  let day = Number.NaN;
  // A batch asks about one user again and again, for things in the order of the batch before.
  let user: string | undefined;
  const now: Seen = { things: undefined, next: 0 };
  const before: Seen = { things: undefined, next: 0 };

  const turn = () => {
    earlier = present;
    present = new Map();
    weight = 0;
    user = undefined;
  };
  const look = (userId: string) => {
    user = userId;
    now.things = present.get(userId);
    before.things = earlier.get(userId);
    now.next = before.next = 0;
  };

  return {
    knows: (userId, thing, at) => {
      const today = Math.floor(at / DAY);
      if (today !== day) {
        day = today;
        turn();
        turn();
      }
      if (userId !== user) look(userId);
      return holds(now, thing) || holds(before, thing);
    },
    remember: (userId, thing) => {
      if (weight >= generationSize * USER_WEIGHT) turn();
      if (userId !== user) look(userId);
      if (now.things === undefined) {
        now.things = [thing];
        present.set(userId, now.things);
        weight += USER_WEIGHT;
      } else {
        now.things.push(thing);
        weight += 1;
      }
    },
  };
}

function holds(seen: Seen, thing: number): boolean {
  const { things, next } = seen;
  if (things === undefined) return false;
  const at = things[next] === thing ? next : things.indexOf(thing);
  if (at < 0) return false;
  seen.next = at + 1;
  return true;
}
