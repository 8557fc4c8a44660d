import { Head } from "../parts/states.tsx";

export function LivePage() {
  return <Head title="live" />;
}
