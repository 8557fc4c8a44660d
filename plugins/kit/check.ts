/** One thing to hold. `run` throws an Error that says what was asked, what was answered and what is wanted. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}

export function check(name: string, run: () => void | Promise<void>): Check {
  return { name, run: async () => run() };
}

/** Short enough for a message. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
