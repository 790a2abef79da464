import assert from "node:assert/strict";
import { test } from "node:test";
import { id, SigningKey } from "ethers";
import type { Envelope } from "../../../../src/protocol/gossip/peer/envelope.ts";
import { identityOf } from "../../../../src/protocol/gossip/records/signatures.ts";
import { type Link, linkWith } from "../../../../src/roles/gossip/running/link.ts";
import { Meter } from "../../../../src/roles/gossip/running/meter.ts";
import { readStream } from "../../../../src/roles/gossip/running/stream-reader.ts";
import { StreamWriter } from "../../../../src/roles/gossip/running/stream-writer.ts";
import { network, receiptBy, signerOf, transactionBy } from "../../../protocol/gossip/support.ts";

const [a, b, c] = ["a", "b", "c"].map((name) => new SigningKey(id(name))) as [
  SigningKey,
  SigningKey,
  SigningKey,
];
const endpoint = { transport: "direct", address: "127.0.0.1:20000", token: "0x" } as const;

const link = (own: SigningKey, other: SigningKey, genesis = network): Link =>
  linkWith(own, identityOf(other), genesis);

function record(receipts = 0): Extract<Envelope, { kind: "record" }> {
  const transaction = transactionBy(signerOf("a"));
  const witnessed = {
    transaction,
    receipts: Array.from({ length: receipts }, (_, at) => receiptBy(signerOf(`${at}`), transaction)),
  };
  return { kind: "record", message: { kind: "transaction", witnessed } };
}

/** What B takes of what `stream` serves, until there are as many as wanted. */
async function taken(
  serve: (from: number, signal: AbortSignal) => Promise<Uint8Array | undefined>,
  wanted: number,
  { direction = link(b, a).in, meter = new Meter(1 << 30) } = {},
): Promise<Envelope[]> {
  const found: Envelope[] = [];
  const stop = new AbortController();
  await readStream(
    {
      transport: { fetchPart: ({ from }, options) => serve(from, options!.signal!) },
      ...{ endpoint: () => endpoint, direction, meter },
      take(envelope) {
        found.push(envelope);
        if (found.length === wanted) stop.abort();
      },
      answered(yes) {
        if (!yes) stop.abort();
      },
      refused: async () => stop.abort(),
    },
    { signal: stop.signal },
  );
  return found;
}

test("two peers agree on the same keys, others for each direction and network", () => {
  const [atA, atB] = [link(a, b), link(b, a)];
  assert.equal(atA.out.feed, atB.in.feed);
  assert.equal(atA.in.token, atB.out.token);
  assert.notEqual(atA.out.feed, atA.in.feed);
  assert.notEqual(atA.out.feed, link(a, b, `0x${"11".repeat(32)}`).out.feed);
  const sealed = atA.out.seal(Buffer.from("text"));
  assert.equal(Buffer.from(atB.in.open(sealed)).toString(), "text");
  for (const other of [link(b, c).in, link(c, a).in, atB.out])
    assert.throws(() => other.open(sealed), { code: "GOSSIP_MESSAGE_INVALID" });
});

test("a message that is longer than a part comes whole, between others, in their order", async () => {
  const writer = new StreamWriter(link(a, b).out, 1000);
  const sent = [record(), record(60), record(64), record(1)];
  // 64 receipts are some 45 kB: several parts for the four.
  for (const one of sent) writer.push(JSON.stringify(one));
  const feed = writer.feed;
  assert.deepEqual(await taken((from, signal) => feed.read(from, { signal }), 4), sent);
});

test("a reader that asks for what was before the writer's process gets all that there is", async () => {
  const writer = new StreamWriter(link(a, b).out, 5000);
  writer.push(JSON.stringify(record()));
  for (const from of [0, 1000 * 128, 2 ** 50]) {
    const stop = new AbortController();
    const part = await writer.feed.read(from, { signal: stop.signal });
    assert.ok(part !== undefined && part.length > 500);
  }
});

test("a writer whose reader is away holds the newest 8 MiB", async () => {
  const writer = new StreamWriter(link(a, b).out, 1000);
  const text = JSON.stringify(record(64));
  for (let i = 0; i < 400; i++) writer.push(text);
  writer.push(JSON.stringify(record()));
  const found = await taken((from, signal) => writer.feed.read(from, { signal }), 1);
  assert.deepEqual(found[0], record(64));
  let [parts, from] = [0, 0];
  for (;;) {
    const stop = new AbortController();
    const reading = writer.feed.read(from, { signal: stop.signal });
    stop.abort();
    const part = await reading;
    if (part === undefined) break;
    const plain = Buffer.from(link(b, a).in.open(part));
    from = Number(plain.readBigUInt64BE()) + plain.length - 8;
    parts += 1;
  }
  assert.ok(parts < 140, `${parts} parts`);
});

test("what is no message is refused: too long, no JSON, an unknown field, another's seal", async () => {
  const frame = (bytes: Buffer, length = bytes.length) => {
    const head = Buffer.alloc(12);
    head.writeBigUInt64BE(7n);
    head.writeUInt32BE(length, 8);
    return Buffer.concat([head, bytes]);
  };
  const { seal } = link(a, b).out;
  const wrong = [
    seal(frame(Buffer.from("x"), 0xffff_ffff)),
    seal(frame(Buffer.from("{"))),
    seal(frame(Buffer.from(JSON.stringify({ ...record(), more: 1 })))),
    seal(Buffer.from("short")),
    link(c, b).out.seal(frame(Buffer.from(JSON.stringify(record())))),
    Buffer.alloc(3),
  ];
  for (const part of wrong) assert.deepEqual(await taken(async () => part, 1), []);
});

test("a neighbour that sends more than its traffic is not read before that has passed", async () => {
  const meter = new Meter(1 << 20);
  await meter.ready({ signal: AbortSignal.timeout(1000) });
  meter.count(2 << 20);
  const stop = new AbortController();
  const waits = meter.ready({ signal: stop.signal });
  stop.abort();
  await assert.rejects(waits, { name: "AbortError" });
});
