import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { id, SigningKey } from "ethers";
import type { Transport } from "../../../../src/ports/transport.ts";
import { fromHex } from "../../../../src/protocol/bytes.ts";
import { formatPeerAddress, type PeerAddress } from "../../../../src/protocol/gossip/address.ts";
import { gossipPeerSchema } from "../../../../src/protocol/gossip/peer-file.ts";
import { identityOf } from "../../../../src/protocol/gossip/records/signatures.ts";
import { linkWith } from "../../../../src/roles/gossip/running/link.ts";
import { Neighbours } from "../../../../src/roles/gossip/running/neighbours.ts";
import { createDirectTransport } from "../../../../src/transfer/direct/direct-transport.ts";
import { network } from "../../../protocol/gossip/support.ts";

const root = `0x${"ab".repeat(32)}` as const;
const keyOf = (name: string) => new SigningKey(id(name));
const addressOf = (name: string, port = 20_000): PeerAddress => ({
  ...identityOf(keyOf(name)),
  endpoint: { transport: "direct", address: `127.0.0.1:${port}`, token: `0x${"12".repeat(16)}` },
});

async function opened(t: TestContext, more: object) {
  const dir = mkdtempSync(join(tmpdir(), "ichain-test-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const changes: (readonly string[])[] = [];
  const file = gossipPeerSchema.parse({
    ...{ version: 1, name: "digits", model: "m", image: "python-ml", command: ["x"], inputs: ["x"] },
    ...{ test: { file: "test.npz" }, data: "data", ...more },
  });
  const open = () =>
    Neighbours.open({
      ...{ key: keyOf("own"), genesis: network, own: addressOf("own"), file, root },
      path: join(dir, "neighbours.json"),
      transport: createDirectTransport({ listenHost: "127.0.0.1" }) satisfies Transport,
      ...{ take() {}, heard() {}, changed: (accounts) => changes.push(accounts) },
    });
  return { neighbours: await open(), open, changes };
}

/** What the peer `name` leaves with the peer `own`. */
function hello(name: string, address = addressOf(name), genesis = network): Uint8Array {
  const link = linkWith(keyOf(name), identityOf(keyOf("own")), genesis);
  const text = JSON.stringify({ address: formatPeerAddress(address) });
  return Buffer.concat([fromHex(identityOf(keyOf(name)).publicKey), link.out.seal(Buffer.from(text))]);
}

test("a stranger that says hello becomes a neighbour while there is room, also of the next process", async (t) => {
  const { neighbours, open, changes } = await opened(t, {
    strangers: 2,
    peers: [formatPeerAddress(addressOf("a"))],
  });
  for (const name of ["b", "c", "d"]) await neighbours.hear(hello(name));
  const accounts = ["a", "b", "c"].map((name) => addressOf(name).account);
  assert.deepEqual(neighbours.accounts, accounts);
  assert.deepEqual(changes.at(-1), accounts);
  assert.deepEqual((await open()).accounts, accounts);
});

test("a hello from elsewhere moves a neighbour", async (t) => {
  const { neighbours } = await opened(t, { peers: [formatPeerAddress(addressOf("a"))] });
  await neighbours.hear(hello("a", addressOf("a", 20_001)));
  assert.equal(neighbours.endpointOf(addressOf("a").account)?.address, "127.0.0.1:20001");
});

test("hellos that are none change nothing: another's key, network or address, too long, too short", async (t) => {
  const { neighbours } = await opened(t, { strangers: 8 });
  const forged = hello("b");
  forged.set(fromHex(identityOf(keyOf("c")).publicKey));
  const wrong = [
    forged,
    hello("b", addressOf("c")),
    hello("b", addressOf("b"), `0x${"11".repeat(32)}`),
    hello("own"),
    Buffer.alloc(20, 2),
    Buffer.alloc(60_000, 2),
    Buffer.concat([Buffer.alloc(33, 0xff), hello("b").subarray(33)]),
  ];
  for (const one of wrong) await neighbours.hear(one);
  assert.deepEqual(neighbours.accounts, []);
});
