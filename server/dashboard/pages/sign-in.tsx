import { Head } from "../parts/states.tsx";

export function SignIn() {
  return <Head title="sign-in" />;
}
