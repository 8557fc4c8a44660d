/** What the columns of a table are called; figures are set to the right. */
export function Heads({ names, figures = [] }: { names: readonly string[]; figures?: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col" class={figures.includes(name) ? "num" : ""}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
