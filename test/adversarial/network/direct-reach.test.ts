import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { reachOf } from "../../../src/transfer/direct/reach.ts";
import { temporaryFolder } from "../../support/parcel/blob.ts";

const root = toHex(randomBytes(32));
const fingerprint = toHex(randomBytes(32));

/** A service that is none of a stranger's: counts who comes, and answers nothing. */
async function service(t: TestContext, host: string) {
  const seen = { connections: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    seen.connections += 1;
    sockets.add(socket.on("error", () => undefined));
  }).listen(0, host);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, "listening");
  const address = server.address();
  return { seen, port: typeof address === "object" && address ? address.port : 0 };
}

/** Every way in which the transport follows another party's locator. */
async function follow(t: TestContext, transport: ReturnType<typeof createDirectTransport>, address: string) {
  const endpoint = { transport: "direct", address, token: toHex(randomBytes(16)) } as const;
  const path = join(await temporaryFolder(t), "got");
  return [
    () => transport.fetch({ endpoint, root, path, maxBytes: 1 << 20 }),
    () => transport.fetchCapsule({ endpoint, root, fingerprint }),
    () => transport.fetchPart({ endpoint, id: root, from: 0 }),
  ];
}

test("a hostile locator has nobody connect to this machine's own services", async (t) => {
  const { seen, port } = await service(t, "127.0.0.1");
  const elsewhere = createDirectTransport({ listenHost: "10.9.0.7", networks: ["10.9.0.0/24"] });
  for (const address of [
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
    `[::ffff:127.0.0.1]:${port}`,
    `0.0.0.0:${port}`,
  ]) {
    for (const act of await follow(t, elsewhere, address)) {
      await assert.rejects(act(), { code: "TRANSFER_OUT_OF_REACH" }, address);
    }
  }
  assert.equal(seen.connections, 0);
});

test("on a network that is loopback a locator leads to loopback, and never to a privileged port", async (t) => {
  const { seen, port } = await service(t, "127.0.0.1");
  const devnet = createDirectTransport({ listenHost: "127.0.0.1" });
  const stop = AbortSignal.timeout(60_000);
  const endpoint = {
    transport: "direct",
    address: `127.0.0.1:${port}`,
    token: toHex(randomBytes(16)),
  } as const;
  const abort = new AbortController();
  const asking = devnet.fetchCapsule({ endpoint, root, fingerprint }, { signal: abort.signal });
  asking.catch(() => undefined);
  while (seen.connections === 0)
    await new Promise((resolve, reject) => {
      stop.onabort = reject;
      setImmediate(resolve);
    });
  abort.abort();
  await assert.rejects(asking);
  for (const act of await follow(t, devnet, "127.0.0.1:22")) {
    await assert.rejects(act(), { code: "TRANSFER_OUT_OF_REACH" });
  }
});

const outside = (own: string, networks: readonly string[] | undefined, hosts: readonly string[]) => {
  const reach = reachOf(own, networks);
  for (const host of hosts) {
    assert.throws(() => reach.check(host, 8080), { code: "TRANSFER_OUT_OF_REACH" }, host);
  }
};

test("a network opens itself alone, and a wide one neither loopback, private blocks nor the metadata service", () => {
  const blocks = [
    "127.0.0.1",
    "10.0.0.1",
    "172.20.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
  ];
  outside("10.9.0.7", ["10.9.0.0/24"], [...blocks, "10.9.1.1", "8.8.8.8", "fd00::1"]);
  outside("203.0.113.7", ["0.0.0.0/0"], blocks);
  outside("2001:db8::7", ["::/0"], ["::1", "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"]);
  const reach = reachOf("203.0.113.7", ["0.0.0.0/0", "10.9.0.0/24", "fd00:1::/32"]);
  for (const host of ["203.0.113.7", "8.8.8.8", "10.9.0.200", "fd00:1::9"]) reach.check(host, 1024);
  assert.throws(() => reach.check("8.8.8.8", 1023), { code: "TRANSFER_OUT_OF_REACH" });
});

test("without networks it is that of this machine's interface; of an address of nobody's it is that address", (t) => {
  outside("198.51.100.7", undefined, ["198.51.100.8", "127.0.0.1"]);
  reachOf("198.51.100.7", undefined).check("198.51.100.7", 8080);
  const [own] = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4");
  if (own === undefined) return t.skip("needs a network beside loopback");
  outside(own.address, undefined, ["127.0.0.1", "169.254.169.254", "8.8.8.8"]);
  reachOf(own.address, undefined).check(own.address, 8080);
});
