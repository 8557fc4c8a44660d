import { Head } from "../parts/states.tsx";

export function EventsPage() {
  return <Head title="events" />;
}
