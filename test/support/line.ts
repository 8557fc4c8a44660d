import { once } from "node:events";
import net from "node:net";

/** A way to PostgreSQL that can go silent. */
export interface Line {
  readonly url: string;
  /** Takes connections and bytes, and passes nothing on. */
  swallow(): void;
  /** Passes new connections on; those from before stay swallowed. */
  restore(): void;
  close(): Promise<void>;
}

export async function openLine(url: string): Promise<Line> {
  const target = new URL(url);
  const ends: net.Socket[] = [];
  let swallowing = false;
  const relay = net.createServer((client) => {
    ends.push(client.on("error", () => {}));
    if (swallowing) return void client.resume();
    const server = net.connect(Number(target.port), target.hostname).on("error", () => {});
    ends.push(server);
    client.pipe(server).pipe(client);
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const relayed = new URL(url);
  relayed.port = String((relay.address() as net.AddressInfo).port);
  return {
    url: relayed.href,
    swallow() {
      swallowing = true;
      for (const end of ends) end.unpipe().resume();
    },
    restore() {
      swallowing = false;
    },
    async close() {
      for (const end of ends) end.destroy();
      relay.close();
      await once(relay, "close");
    },
  };
}
