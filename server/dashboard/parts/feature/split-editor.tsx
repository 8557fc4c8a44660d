import { percent } from "../../words.ts";
import { Variant, VariantBar } from "../variant.tsx";
import { RolloutControl } from "./rollout-control.tsx";

export interface Arm {
  readonly variant: string | null;
  readonly weight: number;
}

/** Weights go out without the stored ranges: the server moves as few users as it can. */
export function SplitEditor({
  arms,
  off,
  placeOf,
  change,
}: {
  arms: readonly Arm[];
  off: string;
  placeOf: (variant: string | null) => number;
  change: (arms: readonly Arm[]) => void;
}) {
  const served = arms.filter(({ variant }) => variant !== off);
  const rest = arms.find(({ variant }) => variant === off);
  const shares = arms.map(({ variant, weight }) => ({
    name: variant ?? "next step",
    share: weight / 100,
    place: placeOf(variant),
  }));
  const sum = Math.round(arms.reduce((total, { weight }) => total + weight, 0) * 1000) / 1000;
  return (
    <div class="stack">
      <VariantBar shares={shares} />
      {arms.length === 2 && served.length === 1 && rest !== undefined ? (
        <>
          <RolloutControl
            label={`Percentage of users who get ${served[0]?.variant}`}
            value={served[0]?.weight ?? 0}
            change={(weight) =>
              change(
                arms.map(({ variant }) => ({
                  variant,
                  weight: variant === off ? Math.round((100 - weight) * 1000) / 1000 : weight,
                })),
              )
            }
          />
          <p class="hint">
            Sticky: who is in stays in while this only rises. {percent((rest.weight ?? 0) / 100, 3)} get {off}.
          </p>
        </>
      ) : (
        <fieldset class={`stack weights ${arms.length > 6 ? "many" : ""}`}>
          <legend>Weights, in percent</legend>
          {arms.map((arm, index) => (
            <div class="row" key={arm.variant ?? ""}>
              <span style={{ flex: "1 1 8rem" }}>
                {arm.variant === null ? "next step" : <Variant name={arm.variant} place={placeOf(arm.variant)} />}
              </span>
              <input
                type="number"
                min={0}
                max={100}
                step={0.001}
                aria-label={`Weight of ${arm.variant ?? "the next step"}`}
                value={arm.weight}
                style={{ width: "6.5rem" }}
                onChange={({ currentTarget }) =>
                  change(
                    arms.map(({ variant, weight }, at) => ({
                      variant,
                      weight: at === index ? Number(currentTarget.value) : weight,
                    })),
                  )
                }
              />
            </div>
          ))}
          {sum !== 100 && <p class="hint bad">The weights sum to {sum}, not to 100.</p>}
        </fieldset>
      )}
    </div>
  );
}
