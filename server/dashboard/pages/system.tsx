import { Head } from "../parts/states.tsx";

export function SystemPage() {
  return <Head title="system" />;
}
