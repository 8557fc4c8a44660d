import type { ConditionTrace } from "../wire.ts";
import { percent, shown } from "../words.ts";
import { Heads } from "./heads.tsx";
import { Scroll } from "./scroll.tsx";

/** Every condition of a tree with what the user has there and the answer. */
export function ConditionTable({ trace, caption }: { trace: ConditionTrace; caption: string }) {
  return (
    <Scroll label={caption}>
      <table class="compact">
        <caption class="soft small" style={{ textAlign: "left" }}>
          {caption}
        </caption>
        <Heads names={["Condition", "This user", "Answer"]} />
        <tbody>
          {flatten(trace, 0).map(({ condition, depth }, index) => (
            <tr key={index}>
              <td class="indent break" style={{ "--depth": depth }}>
                {words(condition)}
              </td>
              <td class="break mono">{condition.attribute === undefined ? "" : shown(condition.found)}</td>
              <td class={condition.result}>{condition.result}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function flatten(condition: ConditionTrace, depth: number): { condition: ConditionTrace; depth: number }[] {
  return [{ condition, depth }, ...(condition.children ?? []).flatMap((child) => flatten(child, depth + 1))];
}

function words(trace: ConditionTrace) {
  switch (trace.condition) {
    case "all":
      return "All of";
    case "any":
      return "Any of";
    case "not":
      return "Not";
    case "always":
      return "Always";
    case "never":
      return "Never";
    case "segment":
      return (
        <>
          In the segment <b>{trace.segment}</b>
        </>
      );
    case "feature":
      return (
        <>
          Feature <b>{trace.feature}</b> serves{" "}
          {trace.expected === undefined ? "anything but off" : shown(trace.expected)}
        </>
      );
    case "gate":
      return `Among ${percent((trace.percentage ?? 0) / 100)} of users${trace.bucket === undefined ? "" : ` (bucket ${trace.bucket})`}`;
    default:
      return (
        <>
          <b>{(trace.attribute ?? "").replace(/^\//, "")}</b> {trace.op?.replaceAll("_", " ")}{" "}
          {trace.expected !== undefined && <code>{shown(trace.expected)}</code>}
        </>
      );
  }
}
