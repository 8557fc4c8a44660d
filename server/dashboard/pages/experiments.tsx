import { Head } from "../parts/states.tsx";
export function ExperimentsPage({ id }: { id: string | undefined }) {
  return <Head title={`Experiments ${id}`} />;
}
