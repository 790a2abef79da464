import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { startDelay } from "../../src/devnet/tor/delay.ts";

test("a forwarder holds bytes back in each direction, loses none, and stops", async (t) => {
  const echo = createServer((socket) => socket.pipe(socket)).listen({ host: "127.0.0.1", port: 0 });
  const free = createServer().listen({ host: "127.0.0.1", port: 0 });
  await Promise.all([once(echo, "listening"), once(free, "listening")]);
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, "close");
  t.after(() => echo.close());
  const forwards = [{ host: "127.0.0.1", port, to: (echo.address() as AddressInfo).port }];
  const delay = await startDelay(forwards, undefined);
  t.after(() => delay.stop());
  await delay.set(100);

  const sent = Buffer.alloc(3_000_000, "ichain ");
  const begin = performance.now();
  const socket = connect({ host: "127.0.0.1", port });
  socket.end(sent);
  const chunks: Buffer[] = [];
  let first: number | undefined;
  for await (const chunk of socket) {
    first ??= performance.now() - begin;
    chunks.push(chunk);
  }
  assert.ok(Buffer.concat(chunks).equals(sent));
  assert.ok(first! >= 200, `${first} ms`);
  await delay.stop();
  await assert.rejects(once(connect({ host: "127.0.0.1", port }), "connect"), { code: "ECONNREFUSED" });
});
