import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { call, get } from "../api.ts";
import { Answer } from "../parts/explain/answer.tsx";
import { type Asked, askedIn, askedOf, bodyOf } from "../parts/explain/asked.ts";
import { ByDecision, Who } from "../parts/explain/who.tsx";
import { Empty, Head, Loaded } from "../parts/states.tsx";
import { address, hrefOf, query } from "../router.ts";
import { useResource } from "../use-resource.ts";
import type { Decision, Feature, StoredDecisions } from "../wire.ts";

/** `/app/explain?feature=&user=&attributes=&decision=`: the address is the question. A stored decision has what is not given. */
export function ExplainPage() {
  const features = useResource("features", (signal) => get<Feature[]>("/features", signal));
  const [given, id] = [askedIn(address.value), query("decision")];
  const lookedUp = useResource(id === "" ? undefined : `decision ${id} ${given?.user ?? ""}`, (signal) =>
    get<StoredDecisions>(hrefOf("/decisions", { decision_id: id, user_id: given?.user }), signal),
  );
  const stored = lookedUp.value?.decisions[0];
  // Until it is looked up nothing is asked: it may know the attributes.
  const asked = id === "" || lookedUp.value !== undefined ? (askedOf(stored) ?? given) : undefined;
  const answer = useResource(asked === undefined ? undefined : `explain ${JSON.stringify(asked)}`, (signal) =>
    explain(asked as Asked, signal),
  );
  return (
    <>
      <Head
        title="Why did this user get this?"
        lead="Asks the engine that serves, step by step. Looking changes nothing: it is neither counted nor stored."
      />
      <div class="split">
        <Ask asked={asked}>
          <Who features={features.value ?? []} asked={asked} />
          <ByDecision />
        </Ask>
        {asked !== undefined ? (
          <Loaded of={answer}>
            {(decision) => (
              <Answer
                asked={asked}
                decision={decision}
                feature={features.value?.find(({ key }) => key === asked.feature)}
                before={id === "" ? undefined : (stored ?? "not stored")}
              />
            )}
          </Loaded>
        ) : id === "" ? (
          <Empty title="Ask about somebody">
            <p>
              Choose a feature and a user. You will see each step in the order it is asked, and what would change the
              answer.
            </p>
          </Empty>
        ) : (
          <Loaded of={lookedUp}>
            {() => (
              <Empty title="That decision is not stored">
                <p>
                  Stored is the first decision of a user for the same variant and reason on one day, for as long as
                  decisions are kept. Ask about the feature and the user instead.
                </p>
              </Empty>
            )}
          </Loaded>
        )}
      </div>
    </>
  );
}

/** Beside the answer; where there is no room beside it, out of its way. */
function Ask({ asked, children }: { asked: Asked | undefined; children: ComponentChildren }) {
  if (!narrow.value) return <div class="stack">{children}</div>;
  return (
    <details key={JSON.stringify(asked)} open={asked === undefined}>
      <summary>Ask about somebody else</summary>
      <div class="stack">{children}</div>
    </details>
  );
}

/** As style.css has it. */
const room = matchMedia("(max-width: 62rem)");
const narrow = signal(room.matches);
room.addEventListener("change", () => {
  narrow.value = room.matches;
});

async function explain(asked: Asked, signal: AbortSignal): Promise<Decision> {
  const { results } = await call<{ results: Decision[] }>("POST", "/evaluate/batch", bodyOf(asked), { signal });
  return results[0] as Decision;
}
