export interface DiffLine {
  readonly kind: "same" | "add" | "del";
  readonly text: string;
}

/** Lines of two JSON documents beside each other (longest common subsequence); unchanged ones far from a change are left out. */
export function diffJson(before: unknown, after: unknown, around = 2): readonly DiffLine[] {
  const [a, b] = [before, after].map((value) => JSON.stringify(value, null, 2).split("\n")) as [string[], string[]];
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      (common[i] as Uint32Array)[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i] as string });
      i += 1;
      j += 1;
    } else if (j < b.length && (i >= a.length || at(i, j + 1) > at(i + 1, j))) {
      lines.push({ kind: "add", text: b[j] as string });
      j += 1;
    } else {
      lines.push({ kind: "del", text: a[i] as string });
      i += 1;
    }
  }
  return lines.filter((_, index) =>
    lines.slice(Math.max(0, index - around), index + around + 1).some(({ kind }) => kind !== "same"),
  );
}
