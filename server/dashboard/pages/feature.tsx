import { Head } from "../parts/states.tsx";
export function FeaturePage({ name }: { name: string }) {
  return <Head title={name} />;
}
