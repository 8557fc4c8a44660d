import { Head } from "../parts/states.tsx";
export function UserPage({ id }: { id: string }) {
  return <Head title={id} />;
}
