import assert from "node:assert/strict";
import { test } from "node:test";
import { id, SigningKey } from "ethers";
import { ChainChecker } from "../../../src/protocol/gossip/chain/checker.ts";
import type { GossipMessage } from "../../../src/protocol/gossip/peer/messages.ts";
import { gossipMessageSchema } from "../../../src/protocol/gossip/peer/messages.ts";
import { GossipPeer } from "../../../src/protocol/gossip/peer/peer.ts";
import { Quota } from "../../../src/protocol/gossip/peer/quota.ts";
import { Remembered } from "../../../src/protocol/gossip/peer/remembered.ts";
import type { Effect, Kept } from "../../../src/protocol/gossip/peer/state.ts";
import { blockDigest, type FinalBlock } from "../../../src/protocol/gossip/records/block.ts";
import { recordChecker, recordSigner } from "../../../src/protocol/gossip/records/signatures.ts";
import {
  type GossipReceipt,
  type GossipTransaction,
  receiptDigest,
  transactionDigest,
} from "../../../src/protocol/gossip/records/transaction.ts";
import { halfFedAvg } from "../../../src/protocol/gossip/rules/half-fedavg.ts";
import { gossipSettingsSchema } from "../../../src/protocol/gossip/settings.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import { Random } from "../../../src/roles/federated/data/random.ts";
import { blockBy, confirmationsOf, network, receiptBy, signerOf, transactionBy } from "./support.ts";

const model = (name: string) => ({ model: id(name) as Hex, bytes: 64 });

/** Peers that hear each other at once, over messages that are written and parsed as on a wire. */
class World {
  readonly peers: readonly GossipPeer[];
  readonly kept = new Map<Address, Kept[]>();
  readonly refused: string[] = [];
  readonly averaging: Address[] = [];
  /** Who hears nothing. */
  deaf = new Set<Address>();
  /** Whose messages to each other are lost. */
  parted = (_from: number, _to: number): boolean => false;
  readonly #queue: { from: Address; to: Address; message: GossipMessage }[] = [];

  constructor(count: number, settings: object, edges: readonly (readonly [number, number])[]) {
    this.peers = Array.from({ length: count }, (_, i) => peerOf(`peer ${i}`, settings));
    for (const [at, peer] of this.peers.entries()) {
      const of = edges.flatMap(([a, b]) => (a === at ? [b] : b === at ? [a] : []));
      peer.meet(of.map((one) => this.peers[one]!.account));
      this.kept.set(peer.account, []);
    }
  }

  publish(at: number, name: string, now: number): void {
    this.#act(this.peers[at]!, this.peers[at]!.publish(model(name), now), now);
    this.#deliver(now);
  }

  tick(now: number): void {
    for (const peer of this.peers) this.#act(peer, peer.tick(now), now);
    this.#deliver(now);
  }

  blocksOf(at: number): FinalBlock[] {
    return this.kept
      .get(this.peers[at]!.account)!
      .flatMap((one) => (one.kind === "final" ? [one.final] : []));
  }

  /** Own transactions as they are kept last. */
  ownOf(at: number) {
    const kept = this.kept.get(this.peers[at]!.account)!;
    const last = new Map(kept.flatMap((one) => (one.kind === "own" ? [[one.digest, one.witnessed]] : [])));
    return [...last.values()];
  }

  #deliver(now: number): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { from, to, message } = next;
      const [sender, peer] = [from, to].map((one) => this.peers.find(({ account }) => account === one)!);
      if (this.deaf.has(to) || this.parted(this.peers.indexOf(sender!), this.peers.indexOf(peer!))) continue;
      const parsed = gossipMessageSchema.parse(JSON.parse(JSON.stringify(message)));
      this.#act(peer!, peer!.receive(from, parsed, now), now);
    }
  }

  #act(peer: GossipPeer, effects: readonly Effect[], now: number): void {
    for (const effect of effects) {
      if (effect.kind === "keep") this.kept.get(peer.account)!.push(effect.kept);
      if (effect.kind === "refused") this.refused.push(effect.why);
      if (effect.kind === "average") this.averaging.push(peer.account);
      if (effect.kind === "measure") this.#act(peer, peer.measured(effect.transaction, 0.5, now), now);
      if (effect.kind === "send") {
        for (const to of effect.to) this.#queue.push({ from: peer.account, to, message: effect.message });
      }
    }
  }
}

function peerOf(
  name: string,
  settings: object,
  state?: ConstructorParameters<typeof GossipPeer>[0]["state"],
) {
  return new GossipPeer({
    genesis: network,
    signer: recordSigner(network, new SigningKey(id(name))),
    checker: recordChecker(network),
    settings: gossipSettingsSchema.parse(settings),
    rule: halfFedAvg,
    state,
  });
}

const heard = (transaction: GossipTransaction, receipts: GossipReceipt[] = []): GossipMessage => ({
  kind: "transaction",
  witnessed: { transaction, receipts },
});

const line = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 4],
] as const;
const square = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
] as const;

test("on a line of five, a transaction of ttl 1 has its neighbour's receipt, one of ttl 3 those of three peers", () => {
  for (const [ttl, expected] of [
    [1, [[1, 0]]],
    [
      3,
      [
        [1, 2],
        [2, 1],
        [3, 0],
      ],
    ],
  ] as const) {
    const world = new World(5, { ttl }, line);
    world.publish(0, "model", 1000);
    const [witnessed] = world.ownOf(0);
    const found = witnessed!.receipts.map((receipt) => [
      world.peers.findIndex(({ account }) => account === receipt.creator.account),
      receipt.receivedAtTtl,
    ]);
    assert.deepEqual(found.sort(), expected);
    assert.deepEqual(world.refused, []);
  }
});

test("four peers make blocks of which every receipt is confirmed, and each chain holds", () => {
  const world = new World(4, { transactions: 2, expire: 20, buffer: 2 }, square);
  for (let now = 1000; now < 1110; now++) {
    if (now % 10 === 0 && now < 1040) for (const at of [0, 1, 2, 3]) world.publish(at, `${at} ${now}`, now);
    world.tick(now);
  }
  for (const at of [0, 1, 2, 3]) {
    const blocks = world.blocksOf(at);
    assert.equal(blocks.length, 2);
    const checker = new ChainChecker(network, recordChecker(network));
    for (const final of blocks) {
      checker.add(final);
      assert.equal(final.confirmations.length, 6);
    }
  }
  assert.ok(world.averaging.length > 0);
  assert.deepEqual(world.refused, []);
});

test("a block of ttl 3 is confirmed by peers that are no neighbours of its creator", () => {
  const world = new World(5, { ttl: 3, transactions: 1, expire: 20 }, line);
  world.publish(0, "model", 1000);
  for (let now = 1001; now < 1040; now++) world.tick(now);
  const [final] = world.blocksOf(0);
  assert.equal(final!.confirmations.length, 3);
});

test("confirmations of further peers that were lost on their way come again with the draft", () => {
  const world = new World(4, { ttl: 3, transactions: 1, expire: 20, resend: 30 }, line.slice(0, 3));
  world.publish(0, "model", 1000);
  world.parted = (_, to) => to === 0;
  for (let now = 1001; now < 1055; now++) world.tick(now);
  assert.equal(world.blocksOf(0).length, 0, "its neighbour passed all of them on, and none arrived");
  world.parted = () => false;
  for (let now = 1055; now < 1062; now++) world.tick(now);
  const [final] = world.blocksOf(0);
  assert.equal(final!.confirmations.length, 3);
});

test("with a witness away a block waits for its patience, and is closed where enough is there", () => {
  const settings = { transactions: 1, expire: 20, patience: 10, resend: 30 };
  const star = [0, 1, 2, 3, 4].map((at) => [at, 5] as const);
  const closes = (away: number): number | undefined => {
    const world = new World(6, settings, star);
    world.publish(5, "model", 1000);
    world.deaf = new Set(world.peers.slice(0, away).map(({ account }) => account));
    for (let now = 1001; now < 1100; now++) {
      world.tick(now);
      if (world.blocksOf(5).length > 0) return now;
    }
    return undefined;
  };
  assert.equal(closes(0), 1030, "all at once, once the transaction is complete");
  assert.equal(closes(1), 1040, "four of five");
  assert.equal(closes(2), 1040, "three of five of each transaction");
  assert.equal(closes(3), undefined);
});

test("a network that is parted for a minute heals: what was drafted meanwhile is confirmed, and all chains hold", () => {
  const world = new World(4, { transactions: 2, expire: 10, buffer: 64 }, square);
  const halves = (from: number, to: number) => from >> 1 !== to >> 1;
  for (let now = 1000; now < 1180; now++) {
    if (now === 1015) world.parted = halves;
    if (now === 1075) world.parted = () => false;
    if (now % 15 === 0 && now < 1090) for (const at of [0, 1, 2, 3]) world.publish(at, `${at} ${now}`, now);
    world.tick(now);
  }
  for (const at of [0, 1, 2, 3]) {
    const checker = new ChainChecker(network, recordChecker(network));
    for (const final of world.blocksOf(at)) checker.add(final);
    const receipts = world
      .blocksOf(at)
      .map(({ block }) => block.transactions.map((one) => one.receipts.length));
    assert.deepEqual(receipts, [
      [3, 1],
      [1, 1],
      [1, 3],
    ]);
  }
});

test("a draft is sent again until its witnesses are back, and given up once they have forgotten", () => {
  const world = new World(2, { transactions: 1, expire: 20 }, [[0, 1]]);
  world.publish(0, "one", 1000);
  const deaf = new Set([world.peers[1]!.account]);
  world.deaf = deaf;
  for (let now = 1001; now < 1300; now++) world.tick(now);
  assert.equal(world.blocksOf(0).length, 0);
  world.deaf = new Set();
  for (let now = 1300; now < 1340; now++) world.tick(now);
  assert.equal(world.blocksOf(0).length, 1);
  world.publish(0, "two", 2000);
  world.deaf = deaf;
  for (let now = 2001; now < 6000; now++) world.tick(now);
  assert.deepEqual(world.kept.get(world.peers[0]!.account)!.at(-1), { kind: "abandoned" });
});

test("a peer passes over what is expired, from the future, forged, too far, or from no neighbour", () => {
  const peer = peerOf("peer", {});
  const [sender, other] = [signerOf("sender"), signerOf("other")];
  peer.meet([sender.identity.account]);
  const hear = (
    fields: Partial<GossipTransaction>,
    now: number,
    receipts = [] as ReturnType<typeof receiptBy>[],
  ) => {
    const message = heard(transactionBy(sender, fields), receipts);
    const [effect] = peer.receive(sender.identity.account, message, now);
    return effect === undefined ? "nothing" : effect.kind === "refused" ? effect.why : effect.kind;
  };
  assert.match(hear({ model: id("a") as Hex }, 1060), /expired/);
  assert.match(hear({ model: id("b") as Hex }, 989), /future/);
  assert.equal(hear({ model: id("c") as Hex }, 990), "measure", "within the clocks' difference");
  assert.match(
    hear({ model: id("d") as Hex, signature: transactionBy(other).signature }, 1000),
    /^transaction: /,
  );
  const transaction = transactionBy(sender, { model: id("e") as Hex });
  assert.equal(
    hear({ model: id("e") as Hex }, 1001, [receiptBy(other, transaction)]),
    "nothing",
    "ttl 1 is used up",
  );
  const full = transactionBy(sender, { model: id("g") as Hex, ttl: 2 });
  const three = ["x", "y", "z"].map((name) => receiptBy(signerOf(name), full));
  assert.match(hear({ model: id("g") as Hex, ttl: 2 }, 1001, three), /more receipts/);
  const far = transactionBy(sender, { model: id("f") as Hex, ttl: 2 });
  const forged = { ...receiptBy(other, far), signature: receiptBy(sender, far).signature };
  assert.match(hear({ model: id("f") as Hex, ttl: 2 }, 1001, [forged]), /^receipt 1: /);
  assert.deepEqual(peer.receive(other.identity.account, heard(transaction), 1001), [
    { kind: "refused", from: other.identity.account, why: "it is no neighbour" },
  ]);
});

test("a receipt of a neighbour's invention, as if it were a neighbour too, is not collected", () => {
  const [owner, neighbour, invented] = [signerOf("peer"), signerOf("neighbour"), signerOf("invented")];
  const peer = peerOf("peer", {});
  peer.meet([neighbour.identity.account]);
  const [told] = peer.publish(model("model"), 1000);
  assert.ok(told?.kind === "keep" && told.kept.kind === "own");
  const { transaction } = told.kept.witnessed;
  assert.equal(transaction.generator.account, owner.identity.account);
  const receipts = [receiptBy(invented, transaction), receiptBy(neighbour, transaction)];
  const [kept] = peer.receive(neighbour.identity.account, heard(transaction, receipts), 1001);
  assert.ok(kept?.kind === "keep" && kept.kept.kind === "own");
  assert.deepEqual(kept.kept.witnessed.receipts, receipts.slice(1));
});

test("a neighbour that makes up far witnesses holds up one draft a day, for ten minutes", () => {
  const [near, liar] = [signerOf("near"), signerOf("liar")];
  const owner = peerOf("peer", { ttl: 2, transactions: 1, expire: 20, patience: 1, resend: 30 });
  owner.meet([near.identity.account, liar.identity.account]);
  let [now, made] = [1000, 0];
  const blocks: FinalBlock[] = [];
  /** What a peer says when the next transaction is out, and what becomes of its draft: seconds until it is gone. */
  const play = (invented: number): { receipts: number; seconds: number } => {
    const [told] = owner.publish(model(`model ${made++}`), now);
    assert.ok(told?.kind === "keep" && told.kept.kind === "own");
    const { transaction } = told.kept.witnessed;
    for (const [signer, also] of [
      [near, []],
      [liar, Array.from({ length: invented }, (_, i) => signerOf(`invented ${made} ${i}`))],
    ] as const) {
      const receipts = [
        receiptBy(signer, transaction),
        ...also.map((one) => receiptBy(one, transaction, { receivedAtTtl: 0 })),
      ];
      for (const receipt of receipts)
        owner.receive(signer.identity.account, heard(transaction, [receipt]), now + 1);
    }
    const act = (effects: readonly Effect[]): Kept[] =>
      effects.flatMap((effect) => {
        if (effect.kind === "keep") return [effect.kept];
        if (effect.kind !== "send" || effect.message.kind !== "draft") return [];
        const { block } = effect.message;
        return [near, liar].flatMap((signer) =>
          act(
            owner.receive(
              signer.identity.account,
              {
                ...{ kind: "confirmations", block: blockDigest(block) },
                confirmations: confirmationsOf(block, [signer]),
              },
              now,
            ),
          ),
        );
      });
    let drawn: { at: number; receipts: number } | undefined;
    for (const end = now + 4000; now < end; now++) {
      for (const kept of act(owner.tick(now))) {
        if (kept.kind === "draft") drawn = { at: now, receipts: kept.block.transactions[0]!.receipts.length };
        if (kept.kind === "final") blocks.push(kept.final);
        if (kept.kind === "final" || kept.kind === "abandoned")
          return { receipts: drawn!.receipts, seconds: now - drawn!.at };
      }
    }
    assert.fail("the draft is still there");
  };
  assert.deepEqual(play(5), { receipts: 7, seconds: 600 });
  assert.equal(blocks.length, 0);
  assert.deepEqual(
    play(5),
    { receipts: 2, seconds: 0 },
    "its own receipt counts, and no other that it brings",
  );
  assert.equal(blocks.length, 1);
  now += 86_400;
  owner.tick(now);
  assert.deepEqual(play(5), { receipts: 7, seconds: 600 }, "a day later it can once more");
  assert.deepEqual(play(5), { receipts: 2, seconds: 0 });
});

test("a neighbour whose far witnesses confirm, or cannot because the network is parted, is not barred", () => {
  const world = new World(4, { ttl: 3, transactions: 1, expire: 20, resend: 30 }, line.slice(0, 3));
  // Nothing comes from the neighbour: no one is to blame for what is further away.
  world.publish(0, "one", 1000);
  world.parted = (_, to) => to === 0;
  for (let now = 1001; now < 1700; now++) world.tick(now);
  assert.equal(world.blocksOf(0).length, 0);
  world.parted = () => false;
  world.publish(0, "two", 1700);
  for (let now = 1700; now < 1770; now++) world.tick(now);
  assert.deepEqual(
    world.blocksOf(0).map(({ confirmations }) => confirmations.length),
    [3, 3],
  );
});

test("a transaction is measured once, and one that was measured too late has no receipt", () => {
  const peer = peerOf("peer", {});
  const sender = signerOf("sender");
  peer.meet([sender.identity.account]);
  const transaction = transactionBy(sender);
  const [message, digest] = [heard(transaction), transactionDigest(transaction)];
  assert.equal(peer.receive(sender.identity.account, message, 1000).length, 1);
  assert.deepEqual(peer.receive(sender.identity.account, message, 1001), []);
  assert.deepEqual(peer.measured(digest, 1, 1060), []);
  assert.deepEqual(peer.measured(digest, 1, 1001), [], "nothing waits any more");
});

test("a receipt is confirmed for one block, ever, also by the process after; for that block again", () => {
  const sender = signerOf("sender");
  const make = (state?: Parameters<typeof peerOf>[2]) => {
    const peer = peerOf("peer", {}, state);
    peer.meet([sender.identity.account]);
    return peer;
  };
  const peer = make();
  const transaction = transactionBy(sender);
  const digest = transactionDigest(transaction);
  peer.receive(sender.identity.account, heard(transaction), 1000);
  const told = peer.measured(digest, 0.5, 1001).find((effect) => effect.kind === "send")!.message;
  assert.ok(told.kind === "transaction");
  const block = (time: number) => blockBy(sender, [told.witnessed], { time });
  const ask = (asked: GossipPeer, time: number) =>
    asked.receive(sender.identity.account, { kind: "draft", block: block(time), hops: 1 }, 1100);
  const effects = ask(peer, 1100);
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ["keep", "send"],
    "what it confirmed is kept before it is told",
  );
  assert.deepEqual(ask(peer, 1101), []);
  assert.deepEqual(ask(peer, 1100), effects.slice(1));
  const receipt = { digest: receiptDigest(told.witnessed.receipts[0]!), transaction: digest, create: 1001 };
  const state = { height: 0, tip: network, own: [], reputations: [] };
  const given = [{ ...receipt, block: blockDigest(block(1100)) }];
  assert.deepEqual(ask(make({ ...state, given }), 1101), []);
  assert.equal(ask(make({ ...state, given: [receipt] }), 1101).length, 2);
  assert.deepEqual(
    ask(make({ ...state, given: [] }), 1100),
    [],
    "a receipt that it does not know as its own",
  );
  const late = make({ ...state, given: [receipt] });
  late.tick(1001 + 3600);
  assert.deepEqual(ask(late, 1100), [], "and none of more than an hour ago");
});

test("a peer goes on where its process ended: same chain, same draft", () => {
  const [owner, witness] = [signerOf("peer"), signerOf("witness")];
  const transaction = transactionBy(owner);
  const draft = {
    block: blockBy(owner, [{ transaction, receipts: [receiptBy(witness, transaction)] }]),
    confirmations: [],
  };
  const state = {
    height: 0,
    tip: network,
    own: [],
    given: [],
    reputations: [[witness.identity.account, 0.25]] as const,
  };
  const peer = peerOf("peer", {}, { ...state, draft });
  peer.meet([witness.identity.account]);
  const [again] = peer.tick(1200);
  assert.ok(again?.kind === "send" && again.message.kind === "draft");
  assert.deepEqual(again.message.block, draft.block);
  assert.equal(peer.reputations.get(witness.identity.account), 0.25);
  const confirmations = confirmationsOf(draft.block, [witness]);
  const message = { kind: "confirmations", block: blockDigest(draft.block), confirmations } as const;
  const effects = peer.receive(witness.identity.account, message, 1201);
  assert.deepEqual(
    effects.map((effect) => effect.kind === "keep" && effect.kept.kind),
    ["confirmed", "final"],
  );
  assert.equal(peer.height, 1);
});

test("a neighbour costs no more than its quota, and no more waits than a peer says", () => {
  const quota = new Quota(60);
  const [a, b] = [signerOf("a").identity.account, signerOf("b").identity.account];
  assert.equal(quota.take(a, 60, 0), true);
  assert.equal(quota.take(a, 1, 0), false);
  assert.equal(quota.take(b, 60, 0), true);
  assert.equal(quota.take(a, 5, 5), true, "one a second comes back");
  assert.equal(quota.take(a, 1, 5), false);
  assert.equal(quota.take(a, 61, 10_000), false, "and not more than a minute's");
  const peer = peerOf("peer", { pending: 2, quota: 60 });
  const sender = signerOf("sender");
  peer.meet([sender.identity.account]);
  const kinds = ["1", "2", "3"].map((name) => {
    const transaction = transactionBy(sender, { model: id(name) as Hex });
    return peer.receive(sender.identity.account, heard(transaction), 1000)[0]!.kind;
  });
  assert.deepEqual(kinds, ["measure", "measure", "refused"]);
});

test("what is remembered is bounded in time and number", () => {
  const remembered = new Remembered<string, number>(10, 2);
  remembered.set("a", 1, 0);
  remembered.set("b", 2, 5);
  remembered.set("a", 3, 5);
  assert.equal(remembered.get("a"), 3);
  remembered.forget(10);
  assert.equal(remembered.get("a"), undefined, "a second value does not keep it longer");
  remembered.set("c", 3, 11);
  remembered.set("d", 4, 11);
  assert.deepEqual([remembered.get("b"), remembered.size], [undefined, 2]);
});

test("messages of a hostile neighbour are refused, and none brings a peer down", () => {
  const random = new Random("hostile");
  const sender = signerOf("sender");
  const transaction = transactionBy(sender, { ttl: 3 });
  const receipts = [
    receiptBy(signerOf("a"), transaction),
    receiptBy(signerOf("b"), transaction, { receivedAtTtl: 1 }),
  ];
  const block = blockBy(sender, [{ transaction, receipts }]);
  const confirmations = confirmationsOf(block, [signerOf("a")]);
  const messages = [
    heard(transaction, receipts),
    { kind: "draft", block, hops: 3 },
    { kind: "confirmations", block: blockDigest(block), confirmations },
  ] as const;
  const peer = peerOf("peer", { quota: 1_000_000 });
  peer.meet([sender.identity.account]);
  let parsed = 0;
  for (let i = 0; i < 300; i++) {
    const text = JSON.stringify(messages[i % 3]!).replace(/"0x[0-9a-f]+"|\d+(?=[,}])/g, (found) => {
      if (random.below(6) > 0) return found;
      if (found[0] !== '"') return String(Math.floor(2 ** (random.uniform() * 45)));
      const at = 3 + random.below(found.length - 4);
      return `${found.slice(0, at)}${random.below(10)}${found.slice(at + 1)}`;
    });
    const result = gossipMessageSchema.safeParse(JSON.parse(text));
    if (!result.success) continue;
    parsed += 1;
    for (const effect of peer.receive(sender.identity.account, result.data, 1001)) {
      assert.notEqual(effect.kind, "average");
    }
  }
  assert.ok(parsed > 100, String(parsed));
  assert.ok(peer.models.size <= 1, "only the one that was signed is waited for");
});
