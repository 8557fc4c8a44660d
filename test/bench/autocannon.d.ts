/** The part of autocannon the bench uses; the package has no types of its own. */
declare module "autocannon" {
  interface Client {
    setRequests(requests: readonly { method: "POST"; path: string; headers: object; body: string }[]): void;
  }
  interface Result {
    readonly requests: { readonly total: number };
    readonly duration: number;
    readonly non2xx: number;
    readonly errors: number;
  }
  interface Running extends PromiseLike<Result> {
    on(
      event: "response",
      listener: (client: Client, status: number, bytes: number, milliseconds: number) => void,
    ): Running;
  }
  function autocannon(options: {
    url: string;
    connections: number;
    /** Seconds. */
    duration: number;
    /** Requests a second, all connections together. */
    overallRate?: number;
    setupClient: (client: Client) => void;
  }): Running;
  export = autocannon;
}
