import { get } from "../../api.ts";
import { useResource } from "../../use-resource.ts";
import type { ModelCheck } from "../../wire.ts";
import { ago } from "../../words.ts";
import { Panel } from "../panel.tsx";
import { Loaded } from "../states.tsx";
import { CheckReport } from "./check-report.tsx";
import { HEALTH } from "./health-words.ts";

/** What the hourly checks found: drift by input, calibration, what was served. */
export function ChecksCard({ version }: { version: string }) {
  const path = `/models/${encodeURIComponent(version)}/checks`;
  const checks = useResource(path, (signal) => get<{ checks: ModelCheck[] }>(path, signal), { every: 10_000 });
  return (
    <section class="card stack">
      <h2>Hourly checks</h2>
      <Loaded of={checks}>
        {({ checks: list }) =>
          list.length === 0 ? (
            <p class="soft">
              None yet. Once an hour, every model that decides is checked: do inputs and scores look as in training, do
              its probabilities come true, do its users do worse than those held out?
            </p>
          ) : (
            <ol class="timeline">
              {list.map((check, index) => (
                <li key={check.at}>
                  <span class={`chip ${HEALTH[check.health][0]}`}>{check.health}</span>{" "}
                  <span class="soft small">{ago(check.at)}</span>
                  <p>{check.detail ?? "Nothing was found."}</p>
                  {index === 0 ? (
                    <CheckReport report={check.report} />
                  ) : (
                    <Panel name={`check-${check.at}`} summary={<span class="small">What was measured</span>}>
                      <CheckReport report={check.report} />
                    </Panel>
                  )}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </section>
  );
}
