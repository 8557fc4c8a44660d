import { columnName } from "../../explanation.ts";
import type { Json } from "../../wire.ts";
import { count, percent, trimmed } from "../../words.ts";
import { Scroll } from "../scroll.tsx";

/** As core/drift stores it, as far as it is drawn here. */
interface Report {
  readonly psi?: readonly { readonly name: string; readonly psi: number; readonly rows: number }[];
  readonly calibration?: { readonly outcomes: number; readonly stated: number; readonly observed: number } | null;
  readonly propensities?: {
    readonly arms: readonly { readonly arm: string; readonly given: number; readonly expected: number }[];
  } | null;
}

/** An index above the first warns, above the second stops the model (core/drift/assess.ts). */
const LIMITS = [0.1, 0.25] as const;

/** Drift by input, whether probabilities come true, and whether variants were served as often as they should. */
export function CheckReport({ report }: { report: Json }) {
  const { psi = [], calibration, propensities } = (report ?? {}) as Report;
  const most = Math.max(LIMITS[1] * 1.6, ...psi.map((shift) => shift.psi));
  return (
    <div class="stack">
      {psi.length > 0 && (
        <Scroll label="Drift by input">
          <table class="compact">
            <thead>
              <tr>
                <th scope="col">Compared with training</th>
                <th scope="col" class="num">
                  PSI
                </th>
                <th scope="col">
                  <span class="wordy">
                    warns above {LIMITS[0]}, stops above {LIMITS[1]}
                  </span>
                  <span class="terse">drift</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {psi.map(({ name, psi: index }) => (
                <tr key={name}>
                  <td class="break">{name === "score" ? "the score" : columnName(name)}</td>
                  <td class="num">{trimmed(index, 3)}</td>
                  <td>
                    <div class="meter" aria-hidden="true">
                      <i class={toneOf(index)} style={{ width: `${(index / most) * 100}%` }} />
                      {LIMITS.map((limit) => (
                        <b key={limit} style={{ left: `${(limit / most) * 100}%` }} />
                      ))}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <p class="small soft">
        {calibration != null &&
          (calibration.outcomes === 0
            ? "No outcome has matured yet, so nobody can say whether its probabilities come true. "
            : `Of ${count(calibration.outcomes)} outcomes it expected ${percent(calibration.stated)}, and ${percent(calibration.observed)} came. `)}
        {propensities?.arms.some(({ given }) => given > 0) &&
          `Served: ${propensities.arms.map(({ arm, given, expected }) => `${arm} ${count(given)} times (${count(expected)} expected)`).join(", ")}.`}
      </p>
    </div>
  );
}

function toneOf(index: number): string {
  if (index > LIMITS[1]) return "bad";
  return index > LIMITS[0] ? "warn" : "good";
}
