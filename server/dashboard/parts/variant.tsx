import { percent } from "../words.ts";

/** A variant's place in the palette: the off variant is grey, the others follow in their order. */
export function paletteOf(variants: readonly string[], off: string): (variant: string | null) => number {
  const others = variants.filter((name) => name !== off);
  return (variant) => {
    if (variant === null || variant === off) return 0;
    const place = others.indexOf(variant);
    return place === -1 ? 0 : 1 + (place % 5);
  };
}

export function Variant({ name, place }: { name: string; place: number }) {
  return (
    <span class="variant">
      <i class={`swatch p${place}`} />
      {name}
    </span>
  );
}

export interface Share {
  readonly name: string;
  readonly share: number;
  readonly place: number;
}

/** A share that would be no wider than the gap before it. */
const THIN = 0.02;

/** Shares of variants side by side. What it shows is also its name. */
export function VariantBar({ shares }: { shares: readonly Share[] }) {
  const words = shares.map(({ name, share }) => `${name} ${percent(share)}`).join(", ");
  return (
    <div class="bar" role="img" aria-label={words} title={words}>
      {shares
        .filter(({ share }) => share > 0)
        .map(({ name, share, place }) => (
          <i key={name} class={`p${place} ${share < THIN ? "thin" : ""}`} style={{ width: `${share * 100}%` }} />
        ))}
    </div>
  );
}

export function VariantLegend({ shares }: { shares: readonly Share[] }) {
  return (
    <div class="legend">
      {shares.map(({ name, share, place }) => (
        <span key={name}>
          <Variant name={name} place={place} /> <span class="soft nums">{percent(share)}</span>
        </span>
      ))}
    </div>
  );
}
