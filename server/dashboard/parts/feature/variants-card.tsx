import type { Feature, Json } from "../../wire.ts";
import { shown } from "../../words.ts";
import { Heads } from "../heads.tsx";
import { Variant } from "../variant.tsx";

export function VariantsCard({ feature, placeOf }: { feature: Feature; placeOf: (variant: string | null) => number }) {
  return (
    <section class="card">
      <h2>Variants</h2>
      <table class="compact">
        <Heads names={["Name", "Value", "Served"]} />
        <tbody>
          {Object.entries(feature.variants).map(([variant, value]) => (
            <tr key={variant}>
              <td>
                <Variant name={variant} place={placeOf(variant)} />
              </td>
              <td class="mono break">{shown(value as Json, 60)}</td>
              <td class="small soft">{rolesOf(variant, feature)}</td>
            </tr>
          ))}
        </tbody>
      </table>
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
