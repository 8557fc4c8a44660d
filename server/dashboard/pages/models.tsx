import { Head } from "../parts/states.tsx";

export function ModelsPage() {
  return <Head title="models" />;
}
