/**
 * Measures contenders side by side: each round times every contender once, in turn, so that a noisy moment of the machine
 * hits all of them; the median of the rounds is what counts. Two rounds of warm-up are thrown away.
 *
 * @param contenders each does `operations` operations when called
 * @returns median nanoseconds an operation, by contender
 */
export async function interleave<Name extends string>(
  contenders: Readonly<Record<Name, () => unknown>>,
  { operations, rounds = 15 }: { operations: number; rounds?: number },
): Promise<Record<Name, number>> {
  const names = Object.keys(contenders) as Name[];
  const times = new Map(names.map((name): [Name, number[]] => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const name of names) {
      const startedAt = performance.now();
      await contenders[name]();
      const took = performance.now() - startedAt;
      if (round >= 0) times.get(name)?.push((took * 1e6) / operations);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<Name, number>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
