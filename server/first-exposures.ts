/** The users who were already exposed to one thing: one variant of one feature version, for one reason. */
export interface ExposedUsers {
  /** Of the generation it was last used in, and of the one before that. */
  users: Set<string>;
  earlier: Set<string>;
  generation: number;
}

/** Tells first exposures from repeated ones, in bounded memory. */
export interface FirstExposures {
  of(): ExposedUsers;
  knows(exposed: ExposedUsers, userId: string, at: number): boolean;
  remember(exposed: ExposedUsers, userId: string): void;
}

const DAY = 86_400_000;

/**
 * Remembers at least the last `generationSize` first exposures (default 100,000) and at most twice as many, all things
 * together: when a generation is full, the one before it is forgotten as a whole. A new UTC day forgets everything, so
 * each day has its own first exposures. What was forgotten is only stored once more than needed.
 *
 * One set of user ids a thing: no key has to be built from the parts of a decision.
 */
export function createFirstExposures({ generationSize = 100_000 }: { generationSize?: number } = {}): FirstExposures {
  let generation = 0;
  let remembered = 0;
  let day = Number.NaN;
  // Who has users of this generation, and who of the one before: so that things never asked about again are freed too.
  let present: ExposedUsers[] = [];
  let before: ExposedUsers[] = [];

  const turn = () => {
    for (const exposed of before) if (exposed.generation < generation) exposed.users = new Set();
    for (const exposed of present) exposed.earlier = new Set();
    before = present;
    present = [];
    generation += 1;
    remembered = 0;
  };
  const catchUp = (exposed: ExposedUsers) => {
    exposed.earlier = exposed.generation === generation - 1 ? exposed.users : new Set();
    exposed.users = new Set();
    exposed.generation = generation;
    present.push(exposed);
  };

  return {
    of: () => ({ users: new Set(), earlier: new Set(), generation: -1 }),
    knows: (exposed, userId, at) => {
      const today = Math.floor(at / DAY);
      if (today !== day) {
        day = today;
        turn();
        turn();
      }
      if (exposed.generation !== generation) catchUp(exposed);
      return exposed.users.has(userId) || exposed.earlier.has(userId);
    },
    remember: (exposed, userId) => {
      if (remembered >= generationSize) turn();
      if (exposed.generation !== generation) catchUp(exposed);
      exposed.users.add(userId);
      remembered += 1;
    },
  };
}
