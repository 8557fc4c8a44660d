import type { Feature, Json } from "../../wire.ts";
import { shown } from "../../words.ts";
import { Heads } from "../heads.tsx";
import { Scroll } from "../scroll.tsx";
import { Variant } from "../variant.tsx";

/** Rows that are seen without scrolling. */
const SEEN = 6;

export function VariantsCard({ feature, placeOf }: { feature: Feature; placeOf: (variant: string | null) => number }) {
  const variants = Object.entries(feature.variants);
  return (
    <section class="card tall">
      <h2>Variants {variants.length > SEEN && <span class="soft">· {variants.length}</span>}</h2>
      <Scroll label="Variants">
        <table class="compact">
          <Heads names={["Name", "Value", "Served"]} />
          <tbody>
            {variants.map(([variant, value]) => (
              <tr key={variant}>
                <td class="named">
                  <Variant name={variant} place={placeOf(variant)} />
                </td>
                <td class="mono break">{shown(value as Json, 60)}</td>
                <td class="small soft">{rolesOf(variant, feature)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function rolesOf(variant: string, { off_variant, fallback_variant }: Feature): string {
  const roles = [
    ...(variant === off_variant ? ["while switched off"] : []),
    ...(variant === fallback_variant ? ["as fallback"] : []),
  ];
  return roles.join(", ");
}
