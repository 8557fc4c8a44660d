import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect } from "node:net";
import { expect, test } from "vitest";
import type { HttpApp } from "../../../server/http/app.ts";
import { listen } from "../../../server/http/listen.ts";

const here = { host: "127.0.0.1", port: 0 };
const hello: HttpApp = { fetch: () => new Response("hello") };

test("listen() takes a free port for 0 and says which", async () => {
  const server = await listen(hello, here);
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  expect(await (await fetch(server.url)).text()).toBe("hello");
  await server.close();
});

test("listen() says what to do when the address is taken", async () => {
  const server = await listen(hello, here);
  const port = Number(new URL(server.url).port);
  await expect(listen(hello, { host: "127.0.0.1", port })).rejects.toThrow(
    new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}.*Set HOST and PORT`),
  );
  await server.close();
});

test("close() lets what is in flight finish and takes nothing new", async () => {
  const arrived = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<Response>();
  const server = await listen(
    {
      fetch() {
        arrived.resolve();
        return finish.promise;
      },
    },
    here,
  );
  const inFlight = fetch(server.url);
  await arrived.promise;
  let closed = false;
  const closing = server.close().then(() => {
    closed = true;
  });
  await expect(fetch(`${server.url}/late`)).rejects.toThrow();
  expect(closed).toBe(false);
  finish.resolve(new Response("done"));
  expect(await (await inFlight).text()).toBe("done");
  await closing;
});

test("close() does not wait for idle keep-alive connections", async () => {
  const server = await listen(hello, here);
  const agent = new Agent({ keepAlive: true });
  await new Promise<void>((resolve) => {
    get(server.url, { agent }, (answer) => answer.resume().on("end", resolve));
  });
  await server.close();
  agent.destroy();
});

test("close() does not wait for connections that were opened ahead and never asked anything", async () => {
  const server = await listen(hello, here);
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket, "close");
  await server.close();
  await closed;
}, 5_000); // Half of the time that what is in flight is given.

test("small bodies are collected before the app is called, uploads and large ones are streamed", async () => {
  const server = await listen(
    {
      async fetch(request, bindings) {
        return Response.json({
          collected: bindings?.incoming?.rawBody !== undefined,
          size: (await request.arrayBuffer()).byteLength,
        });
      },
    },
    here,
  );
  const send = async (body: string | FormData, headers: Record<string, string> = {}) =>
    (await fetch(server.url, { method: "POST", body, headers })).json();
  expect(await send("{}")).toEqual({ collected: true, size: 2 });
  expect(await send("")).toEqual({ collected: false, size: 0 });
  expect(await send("x".repeat(300_000))).toEqual({ collected: false, size: 300_000 });
  const form = new FormData();
  form.set("csv_file", new Blob(["a,b"]));
  expect(await send(form)).toMatchObject({ collected: false });
  await server.close();
});
