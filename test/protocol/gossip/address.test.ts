import assert from "node:assert/strict";
import { test } from "node:test";
import { id, SigningKey } from "ethers";
import { formatPeerAddress, parsePeerAddress } from "../../../src/protocol/gossip/address.ts";
import { gossipPeerSchema } from "../../../src/protocol/gossip/peer-file.ts";
import { identityOf } from "../../../src/protocol/gossip/records/signatures.ts";

const identity = identityOf(new SigningKey(id("a")));
const token = `0x${"12".repeat(16)}` as const;
const direct = { ...identity, endpoint: { transport: "direct", address: "127.0.0.1:20000", token } } as const;
const onion = {
  ...identity,
  endpoint: { transport: "onion", address: "a2".repeat(28), token, guestKey: `0x${"34".repeat(32)}` },
} as const;

test("a peer's address is read as it was written", () => {
  for (const one of [direct, onion]) assert.deepEqual(parsePeerAddress(formatPeerAddress(one)), one);
});

test("what is no address is refused: no point of the curve, an onion without its guest key, more at the end", () => {
  const [text, long] = [formatPeerAddress(direct), formatPeerAddress(onion)];
  const wrong = [
    "",
    `02${"ff".repeat(32)}${text.slice(66)}`,
    long.slice(0, -65),
    `${text}/`,
    `${text} `,
    text.toUpperCase(),
  ];
  for (const one of wrong) assert.equal(parsePeerAddress(one), undefined, one);
});

test("a gossip.yaml says what is wrong with it", () => {
  const least = {
    version: 1,
    name: "digits",
    model: "start.safetensors",
    image: "python-ml",
    command: ["python3", "task.py"],
    inputs: ["task.py"],
    test: { file: "test.npz" },
  };
  const fieldsOf = (more: object) => {
    const { error } = gossipPeerSchema.safeParse({ ...least, ...more });
    return error?.issues.map(({ path }) => path.join("."));
  };
  const peers = [formatPeerAddress(direct)];
  assert.equal(fieldsOf({ data: "data", peers }), undefined);
  assert.equal(fieldsOf({ observer: true, peers }), undefined);
  assert.deepEqual(fieldsOf({ peers }), ["data"]);
  assert.deepEqual(fieldsOf({ data: "data", introducer: peers[0] }), ["strangers"]);
  assert.deepEqual(fieldsOf({ data: "data", peers: ["somebody"] }), ["peers.0"]);
  assert.deepEqual(fieldsOf({ data: "data", interval: [9, 8] }), ["interval"]);
});
