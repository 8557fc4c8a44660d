import { Heads } from "./heads.tsx";
import { Panel } from "./panel.tsx";
import { Scroll } from "./scroll.tsx";

/** The numbers of a chart, for those who would rather read them. The first column names the row. */
export function AsTable({
  label,
  head,
  rows,
}: {
  label: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
}) {
  return (
    <Panel name={`table-${label.toLowerCase().replaceAll(" ", "-")}`} class="small" summary={`${label}, as a table`}>
      <Scroll label={label}>
        <table class="compact">
          <Heads names={head} figures={head.slice(1)} />
          <tbody>
            {rows.map((row) => (
              <tr key={row[0]}>
                {row.map((cell, index) => (
                  <td key={index} class={index === 0 ? "nums" : "num"}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Panel>
  );
}
