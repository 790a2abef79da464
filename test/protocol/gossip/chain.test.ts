import assert from "node:assert/strict";
import { test } from "node:test";
import { id, Signature, verifyTypedData } from "ethers";
import { chainHeader, readChain } from "../../../src/protocol/gossip/chain/chain-file.ts";
import { type FinalBlock, finalDigest } from "../../../src/protocol/gossip/records/block.ts";
import { type RecordChecker, recordChecker } from "../../../src/protocol/gossip/records/signatures.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import {
  blockBy,
  confirmationsOf,
  finalBy,
  genesis,
  network,
  receiptBy,
  signerOf,
  transactionBy,
} from "./support.ts";

const owner = signerOf("owner");
const witnesses = ["a", "b", "c"].map(signerOf);
const digest = (name: string) => id(name) as Hex;

/** Transactions of the owner with a receipt of each witness. */
const witnessed = (names: readonly string[], creators = witnesses) =>
  names.map((name) => {
    const transaction = transactionBy(owner, { model: digest(name) });
    return { transaction, receipts: creators.map((one) => receiptBy(one, transaction)) };
  });

/** A chain of two blocks, of one transaction and of two. */
function chain(): FinalBlock[] {
  const [few, pair] = [witnesses.slice(0, 1), witnesses.slice(0, 2)];
  const first = blockBy(owner, witnessed(["one"], few));
  const one = finalBy(owner, first, confirmationsOf(first, witnesses));
  const second = blockBy(owner, witnessed(["two", "three"], pair), {
    ...{ height: 2, previous: finalDigest(one), time: 1200 },
  });
  return [one, finalBy(owner, second, confirmationsOf(second, witnesses))];
}

const textOf = (lines: readonly unknown[]) => lines.map((line) => JSON.stringify(line));
const texts = (blocks: readonly unknown[], header: unknown = chainHeader(genesis)) =>
  textOf([header, ...blocks]);

/** Code, and the record or line that is named. `known`: a checker of this network that remembers what held. */
function refusal(lines: readonly string[], known?: RecordChecker): [code: string, where?: string] {
  const checkerOf = (of: Hex) => (known !== undefined && of === network ? known : recordChecker(of));
  try {
    readChain(lines, checkerOf);
  } catch (error) {
    const { code, details } = error as {
      code: string;
      details: Record<"block" | "record" | "line", unknown>;
    };
    return [
      code,
      details.record === undefined ? `line ${details.line}` : `${details.block}: ${details.record}`,
    ];
  }
  return ["none"];
}

test("a chain is read, and ends with the digest of its last block", () => {
  const blocks = chain();
  const read = readChain(texts(blocks));
  assert.deepEqual(read, { genesis, blocks, tip: finalDigest(blocks[1]!) });
  assert.equal(readChain(texts([])).tip, network);
});

test("a change of any field of any record is found, and the record is named", () => {
  const lines = [chainHeader(genesis), ...chain()];
  const checker = recordChecker(network, 1000);
  const expected = ([line, ...path]: readonly string[]): string => {
    // Records of another network: the first one shows it.
    if (line === "0") return "1: transaction 1";
    const [top, part, at, inner, receipt] = path;
    const confirmation = `confirmation ${Number(part) + 1}`;
    const within = `transaction ${Number(at) + 1}`;
    if (top !== "block") return `${line}: ${top === "confirmations" ? confirmation : "finalization"}`;
    if (part !== "transactions") return `${line}: block`;
    return `${line}: ${inner === "transaction" ? within : `${within}, receipt ${Number(receipt) + 1}`}`;
  };
  const changed = new Set<string>();
  const walk = (value: unknown, path: readonly string[], set: (value: unknown) => void) => {
    if (typeof value === "object") {
      for (const [key, own] of Object.entries(value!)) {
        walk(own, [...path, key], (other) => {
          (value as Record<string, unknown>)[key] = other;
        });
        (value as Record<string, unknown>)[key] = own;
      }
      return;
    }
    changed.add(path.filter((one) => !/^\d+$/.test(one)).join("."));
    set(typeof value === "number" ? value + 1 : flipped(value as string));
    const found = refusal(textOf(copy), checker);
    const line = `line ${Number(path[0]) + 1}`;
    if (found[0] === "GOSSIP_CHAIN_MALFORMED") assert.deepEqual(found[1], line, path.join("."));
    else assert.deepEqual(found, ["GOSSIP_CHAIN_BROKEN", expected(path)], path.join("."));
  };
  // Not `structuredClone`, in which a peer's identity would stay one object.
  const copy = JSON.parse(JSON.stringify(lines));
  walk(copy, [], () => {});
  assert.deepEqual(copy, lines);
  assert.deepEqual([...changed].sort(), fieldsOfAll);
});

/** Every field that a chain's file has. */
const identity = (of: string) => [`${of}.account`, `${of}.publicKey`];
const transactionFields = ["create", "expire", "model", "bytes", "ttl", "signature"];
const receiptFields = ["create", "receivedAtTtl", "accuracy", "transaction", "signature"];
const fieldsOfAll = [
  ...["gossip", "genesis.name", "genesis.layout.name", "genesis.layout.shape"],
  ...["finalizedAt", "signature", ...identity("block.creator"), ...identity("confirmations.creator")],
  ...["height", "previous", "time", "genesis", "signature"].map((one) => `block.${one}`),
  ...["transaction", "receipt", "block", "signature"].map((one) => `confirmations.${one}`),
  ...transactionFields.map((one) => `block.transactions.transaction.${one}`),
  ...receiptFields.map((one) => `block.transactions.receipts.${one}`),
  ...identity("block.transactions.transaction.generator"),
  ...identity("block.transactions.receipts.creator"),
].sort();

test("no byte of a stored chain can be flipped, and what is wrong is named", () => {
  const text = texts(chain()).join("\n");
  const checker = recordChecker(network, 1000);
  for (let at = 0; at < text.length; at += 11) {
    const bit = [1, 2, 32][at % 3]!;
    const touched = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ bit) + text.slice(at + 1);
    const [code, where] = refusal(touched.split("\n"), checker);
    assert.match(code, /^GOSSIP_CHAIN_(MALFORMED|BROKEN)$/, `byte ${at}, bit ${bit}`);
    const block = text.slice(0, at).split("\n").length - 1;
    assert.match(
      where!,
      new RegExp(`^(line ${block + 1}|${Math.max(1, block)}: .+)$`),
      `byte ${at}, bit ${bit}`,
    );
  }
});

test("what its author signed, and does not belong there, is found", () => {
  const [one] = chain() as [FinalBlock];
  const build = (transactions: ReturnType<typeof witnessed>, fields = {}) => {
    const block = blockBy(owner, transactions, fields);
    return refusal(texts([finalBy(owner, block, confirmationsOf(block, witnesses))]));
  };
  const [transaction] = witnessed(["one"]);
  assert.deepEqual(build([transaction!, transaction!]), ["GOSSIP_CHAIN_BROKEN", "1: transaction 2"]);
  const twice = { ...transaction!, receipts: [...transaction!.receipts, transaction!.receipts[0]!] };
  assert.deepEqual(build([twice]), ["GOSSIP_CHAIN_BROKEN", "1: transaction 1, receipt 4"]);
  const own = { ...transaction!, receipts: [receiptBy(owner, transaction!.transaction)] };
  assert.deepEqual(build([own]), ["GOSSIP_CHAIN_BROKEN", "1: transaction 1, receipt 1"]);
  assert.deepEqual(build([{ ...transaction!, receipts: [] }]), ["GOSSIP_CHAIN_BROKEN", "1: transaction 1"]);
  assert.deepEqual(build(witnessed(["one"]), { height: 2 }), ["GOSSIP_CHAIN_BROKEN", "1: block"]);
  assert.deepEqual(build(witnessed(["one"]), { time: 900 }), ["GOSSIP_CHAIN_BROKEN", "1: block"]);
  assert.deepEqual(build(witnessed(["one"]), { creator: witnesses[0]!.identity }), [
    ...["GOSSIP_CHAIN_BROKEN", "1: block"],
  ]);
  const again = blockBy(owner, one.block.transactions, {
    ...{ height: 2, previous: finalDigest(one), time: 1200 },
  });
  const second = finalBy(owner, again, confirmationsOf(again, witnesses));
  assert.deepEqual(refusal(texts([one, second])), ["GOSSIP_CHAIN_BROKEN", "2: transaction 1"]);
});

test("a receipt came from a neighbour, or from one whose receipt is there", () => {
  const transaction = transactionBy(owner, { ttl: 3 });
  const at = (ttls: readonly number[]) => {
    const receipts = ttls.map((receivedAtTtl, i) => receiptBy(witnesses[i]!, transaction, { receivedAtTtl }));
    const block = blockBy(owner, [{ transaction, receipts }]);
    return refusal(texts([finalBy(owner, block, confirmationsOf(block, witnesses))]))[1] ?? "holds";
  };
  assert.equal(at([2, 1, 0]), "holds");
  assert.equal(at([2, 2, 1]), "holds");
  assert.equal(at([2, 0]), "1: transaction 1, receipt 2");
  assert.equal(at([1]), "1: transaction 1, receipt 1");
  assert.equal(at([3]), "1: transaction 1, receipt 1");
});

test("a receipt that another key signed is refused, whatever the rest says", () => {
  const transaction = transactionBy(owner);
  const honest = receiptBy(witnesses[0]!, transaction);
  const forged = { ...honest, signature: receiptBy(witnesses[1]!, transaction).signature };
  const block = blockBy(owner, [{ transaction, receipts: [forged] }]);
  const final = finalBy(owner, block, confirmationsOf(block, witnesses));
  assert.deepEqual(refusal(texts([final])), ["GOSSIP_CHAIN_BROKEN", "1: transaction 1, receipt 1"]);
});

test("the same signature in another form is none", () => {
  const blocks = chain();
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const { r, s, v } = Signature.from(blocks[0]!.signature);
  const other = `${r}${(order - BigInt(s)).toString(16).padStart(64, "0")}${v === 27 ? "1c" : "1b"}`;
  assert.deepEqual(refusal(texts([{ ...blocks[0]!, signature: other }])), [
    "GOSSIP_CHAIN_MALFORMED",
    "line 2",
  ]);
});

test("a block is final with four fifths of all confirmations, or three fifths of each transaction's", () => {
  const many = Array.from({ length: 5 }, (_, i) => signerOf(`witness ${i}`));
  const closed = (kept: readonly number[]) => {
    const block = blockBy(owner, witnessed(["one", "two"], many));
    const all = confirmationsOf(block, many);
    const some = all.filter((_, i) => kept.includes(i));
    return refusal(texts([finalBy(owner, block, some)]))[1] ?? "final";
  };
  assert.equal(closed([0, 1, 2, 5, 6, 7]), "final", "three of five of each");
  assert.equal(closed([0, 1, 5, 6, 7, 8, 9]), "1: finalization", "seven of ten, two of five of the first");
  assert.equal(closed([0, 1, 2, 3, 4, 5, 6, 7]), "final");
  assert.equal(closed([0, 1, 2, 3, 4, 5, 6]), "1: finalization", "seven of ten");
});

test("records of one network are none of another's", () => {
  const other = { ...genesis, name: "letters" };
  assert.deepEqual(refusal(texts(chain(), chainHeader(other))), ["GOSSIP_CHAIN_BROKEN", "1: transaction 1"]);
});

test("lines out of bounds are refused before they are read", () => {
  assert.deepEqual(refusal([]), ["GOSSIP_CHAIN_MALFORMED", "line 1"]);
  assert.deepEqual(refusal(["{"]), ["GOSSIP_CHAIN_MALFORMED", "line 1"]);
  assert.deepEqual(refusal([...texts([]), " ".repeat((4 << 20) + 1)]), ["GOSSIP_CHAIN_MALFORMED", "line 2"]);
  const [final] = chain() as [FinalBlock];
  const long = { ...final, block: { ...final.block, transactions: Array(65).fill(witnessed(["one"])[0]) } };
  assert.deepEqual(refusal(texts([long])), ["GOSSIP_CHAIN_MALFORMED", "line 2"]);
});

/** Another hexadecimal digit in the middle. */
function flipped(text: string): string {
  const at = text.length >> 1;
  return text.slice(0, at) + (text[at] === "0" ? "1" : "0") + text.slice(at + 1);
}

test("what is signed is typed data (EIP-712), and a signature that held is known the next time, no other", () => {
  const { identity, sign } = signerOf("a");
  const digest = id("digest") as Hex;
  const domain = { name: "ichain gossip", version: "1", salt: network };
  const types = { Receipt: [{ name: "digest", type: "bytes32" }] };
  const signature = sign("receipt", digest);
  assert.equal(verifyTypedData(domain, types, { digest }, signature).toLowerCase(), identity.account);
  const checker = recordChecker(network, 2);
  for (let i = 0; i < 2; i++) assert.ok(checker.isSigned("receipt", digest, identity, signature));
  assert.ok(!checker.isSigned("block", digest, identity, signature));
  assert.ok(!checker.isSigned("receipt", id("other") as Hex, identity, signature));
  assert.ok(!checker.isSigned("receipt", digest, signerOf("b").identity, signature));
});
