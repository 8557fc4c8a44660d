import type { Arm } from "../explanation.ts";
import { count, percent } from "../words.ts";
import { Variant } from "./variant.tsx";

const BUCKETS = 100_000;

/** 0 to 100 % of the buckets, who owns which, and where this user is. */
export function BucketStrip({
  arms,
  bucket,
  placeOf,
}: {
  arms: readonly Arm[];
  bucket: number | null;
  placeOf: (variant: string | null) => number;
}) {
  const pieces = piecesOf(arms);
  const at = bucket === null ? undefined : bucket / BUCKETS;
  const side = at === undefined ? "" : at < 0.15 ? "left" : at > 0.85 ? "right" : "";
  return (
    <figure class="stack">
      <div class="strip" role="img" aria-label={describe(arms, bucket)}>
        <div class="scale">
          {pieces.map(({ variant, from, to }) => (
            <i
              key={from}
              class={variant === null ? "none" : `p${placeOf(variant)}`}
              style={{ left: `${(from / BUCKETS) * 100}%`, width: `${((to - from) / BUCKETS) * 100}%` }}
            />
          ))}
        </div>
        {at !== undefined && (
          <div class={`pin ${side}`} style={{ left: `${at * 100}%` }}>
            <span>this user, {percent(at, 2)}</span>
          </div>
        )}
        <div class="ends" aria-hidden="true">
          <span>0 %</span>
          <span>50 %</span>
          <span>100 %</span>
        </div>
      </div>
      <figcaption class="legend">
        {arms.map(({ variant, weight }) => (
          <span key={variant ?? ""}>
            {variant === null ? "next step" : <Variant name={variant} place={placeOf(variant)} />}{" "}
            <span class="soft nums">{percent(weight / 100, 3)}</span>
          </span>
        ))}
        {bucket !== null && <span class="soft nums">bucket {count(bucket)} of 100,000</span>}
      </figcaption>
    </figure>
  );
}

function piecesOf(arms: readonly Arm[]) {
  let next = 0;
  return arms
    .flatMap(({ variant, weight, ranges }) => {
      if (ranges !== null) return ranges.map(([from, to]) => ({ variant, from, to }));
      const from = next;
      next += weight * 1000;
      return [{ variant, from, to: next }];
    })
    .filter(({ from, to }) => to > from)
    .sort((a, b) => a.from - b.from);
}

function describe(arms: readonly Arm[], bucket: number | null): string {
  const shares = arms.map(({ variant, weight }) => `${variant ?? "the next step"} ${percent(weight / 100, 3)}`);
  const where = bucket === null ? "" : `; this user is in bucket ${count(bucket)} of 100,000`;
  return `Buckets: ${shares.join(", ")}${where}`;
}
