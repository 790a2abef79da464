import assert from "node:assert/strict";
import { test } from "node:test";
import { computeAddress, id, keccak256, SigningKey } from "ethers";
import {
  type AggregationLine,
  type LedgerHeader,
  payLeaves,
  readLedger,
  type UploadLine,
} from "../../../src/protocol/federated/ledger/ledger.ts";
import { type RoundMember, recordHash, signRecord } from "../../../src/protocol/federated/ledger/record.ts";
import { traceModel } from "../../../src/protocol/federated/ledger/trace.ts";
import {
  isBelow,
  memberLeaf,
  payLeaf,
  proofOf,
  treeRoot,
} from "../../../src/protocol/federated/ledger/tree.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;
const digest = (name: string) => id(name) as Hex;
const keys = ["a", "b", "c", "lead"].map((name) => new SigningKey(id(name)));
const addressOf = (key: SigningKey) => computeAddress(key).toLowerCase() as Address;
const lead = keys.pop()!;
const providers = keys.map((key) => ({ key, account: addressOf(key) }));
providers.sort((a, b) => (a.account < b.account ? -1 : 1));

const header: LedgerHeader = {
  ...{ ledger: 1, chainId: 31337, escrow: addressOf(lead), name: "digits" },
  ...{ job: digest("job"), start: digest("model 0") },
};
const when = { finishedAt: 1_800_000_000, seconds: 12 };

interface Wish {
  /** Left out of the round by its lead. */
  readonly without?: number;
  readonly members?: (members: RoundMember[]) => RoundMember[];
  readonly earned?: (earned: [Address, string][]) => [Address, string][];
  readonly previous?: Hex;
  readonly parent?: Hex;
}

/** The lines of a round in which the third provider sends nothing; all signed, whatever they say. */
function roundLines(round: number, previous: Hex, wish: Wish = {}): (UploadLine | AggregationLine)[] {
  const parent = wish.parent ?? digest(`model ${round - 1}`);
  const uploads = providers.slice(0, 2).map(({ key, account }): UploadLine => {
    const [data, update] = [digest(`data ${account}`), digest(`update ${round} ${account}`)];
    const upload = {
      ...{ round, provider: account, parent, data, update, location: digest(`at ${update}`) },
      ...when,
    };
    return { upload, signature: signRecord(key, recordHash(upload, header)) };
  });
  const all = providers.map(({ account }, i): RoundMember => {
    const upload = uploads[i] === undefined ? NOTHING : recordHash(uploads[i].upload, header);
    const sent = upload !== NOTHING;
    return {
      ...{ provider: account, upload, rows: 100 },
      ...{ accuracy: sent ? 900_000 : 0, weight: sent ? 100 : 0, audit: "none" },
    };
  });
  const named = all.filter((_, i) => i !== wish.without);
  const members = wish.members?.(named) ?? named;
  const paid = providers.slice(0, 2).map(({ account }): [Address, string] => [account, `${round * 49}`]);
  const earned = wish.earned?.(paid) ?? paid;
  const sums = new Map(earned.map(([account, amount]) => [account, BigInt(amount)]));
  const aggregation = {
    ...{ round, lead: addressOf(lead), parent, model: digest(`model ${round}`), strategy: "gate" },
    updatesRoot: treeRoot(members.map((member) => memberLeaf(round, member))),
    payRoot: treeRoot(payLeaves(sums)),
    ...{ location: digest(`model at ${round}`), ...when, previous: wish.previous ?? previous },
  };
  return [
    ...uploads,
    { aggregation, members, earned, signature: signRecord(lead, recordHash(aggregation, header)) },
  ];
}

/** A ledger of `rounds` rounds; `wish` is the last one's. */
function ledgerLines(rounds: number, wish: Wish = {}): object[] {
  const lines: object[] = [header];
  let previous = NOTHING;
  for (let round = 1; round <= rounds; round++) {
    const added = roundLines(round, previous, round === rounds ? wish : {});
    previous = recordHash((added.at(-1) as AggregationLine).aggregation, header);
    lines.push(...added);
  }
  return lines;
}

const texts = (lines: readonly object[]) => lines.map((line) => JSON.stringify(line));
const read = (lines: readonly object[]) => readLedger(texts(lines));

test("a ledger is read: rounds, uploads that wait, sums, and what stands for all of it", () => {
  const lines = ledgerLines(3);
  const { rounds, open, tip } = read(lines.slice(0, -1));
  assert.equal(rounds.length, 2);
  assert.deepEqual(
    open.map(({ provider }) => provider),
    providers.slice(0, 2).map(({ account }) => account),
  );
  assert.equal(tip, recordHash((lines[6] as AggregationLine).aggregation, header));
  assert.equal(rounds[1]!.earned.get(providers[0]!.account), 98n);
  assert.deepEqual(read([header]).rounds, []);
});

test("a change of any field of any line is found", () => {
  const lines = ledgerLines(2);
  const other = { string: (text: string) => flipped(text), number: (value: number) => value + 1 };
  let changed = 0;
  const walk = (value: unknown, set: (changed: unknown) => void) => {
    if (typeof value === "string") set(other.string(value));
    else if (typeof value === "number") set(other.number(value));
    else for (const key of Object.keys(value as object)) walkInto(value as Record<string, unknown>, key, set);
  };
  const walkInto = (parent: Record<string, unknown>, key: string, set: (changed: unknown) => void) => {
    const own = parent[key];
    walk(own, (value) => {
      parent[key] = value;
      set(parent);
      parent[key] = own;
    });
  };
  for (let at = 0; at < lines.length; at++) {
    const copy = structuredClone(lines);
    walk(copy[at], () => {
      // The name is a label: no one signs it.
      if (at === 0 && (copy[0] as LedgerHeader).name !== header.name) return;
      changed += 1;
      assert.throws(() => read(copy), /LEDGER_|Line \d+ of the ledger/, JSON.stringify(copy[at]));
    });
  }
  assert.ok(changed > 90, String(changed));
});

/** The text with its last character changed. */
function flipped(text: string): string {
  return `${text.slice(0, -1)}${text.endsWith("1") ? "2" : "1"}`;
}

test("a line that is missing, twice there or in another place is found", () => {
  const lines = ledgerLines(2);
  for (let at = 0; at < lines.length - 1; at++) {
    assert.throws(() => read(lines.toSpliced(at, 1)), { class: "untrusted" }, `without line ${at + 1}`);
    const next = lines[at + 1]!;
    const swapped = lines.toSpliced(at, 2, next, lines[at]!);
    // Two uploads of a round have no order.
    if (!("upload" in next && "upload" in lines[at]!)) assert.throws(() => read(swapped), `line ${at + 1}`);
    assert.throws(() => read(lines.toSpliced(at, 0, lines[at]!)), `line ${at + 1} twice`);
  }
});

test("a lead that lies is found although it signed", () => {
  const [first, second, third] = providers.map(({ account }) => account) as [Address, Address, Address];
  const lies: [string, Wish, RegExp][] = [
    ["an upload left out", { without: 0 }, /leaves out the upload of/],
    [
      "an update that did not arrive",
      { members: (all) => all.map((one) => (one.provider === third ? { ...one, weight: 5 } : one)) },
      /cannot be in the model/,
    ],
    [
      "a cheat's update in the model",
      { members: (all) => all.map((one) => (one.provider === first ? { ...one, audit: "proven" } : one)) },
      /cannot be in the model/,
    ],
    [
      "another upload than was sent",
      { members: (all) => all.map((one) => ({ ...one, upload: digest("another") })) },
      /another upload/,
    ],
    ["a sum that falls", { earned: ([one]) => [one!, [second, "1"]] }, /has earned falls/],
    ["an account forgotten", { earned: ([one]) => [one!] }, /has earned falls/],
    [
      "pay for nothing",
      { earned: (sums) => ([...sums, [third, "7"]] as [Address, string][]).sort() },
      /it pays 0x[0-9a-f]+, which has no good update/,
    ],
    ["accounts in no order", { members: (all) => all.toReversed() }, /ascending order/],
    ["another chain", { previous: digest("elsewhere") }, /does not follow the aggregation/],
    ["another model to begin with", { parent: digest("elsewhere") }, /does not start from the model/],
  ];
  for (const [name, wish, message] of lies) {
    assert.throws(() => read(ledgerLines(2, wish)), { class: "untrusted", message }, name);
  }
});

test("what is no ledger is refused in one sentence", () => {
  const cases: [string[], RegExp][] = [
    [[], /there is no header/],
    [["{"], /Line 1 .* not JSON/],
    [['{"ledger":2}'], /field ledger/],
    [[...texts([header]), '{"upload":{},"signature":"0x"}'], /Line 2 .* field upload/],
    [[...texts([header]), "null"], /Line 2/],
    [[...texts([header]), `"${"x".repeat(2 ** 20)}"`], /too long/],
  ];
  for (const [lines, message] of cases) {
    assert.throws(() => readLedger(lines), { code: "LEDGER_MALFORMED", message });
  }
});

test("a model is traced back to its data, by its digest or the beginning of it", () => {
  const ledger = read(ledgerLines(3));
  const models = traceModel(ledger);
  assert.deepEqual(
    models.map(({ round }) => round),
    [3, 2, 1],
  );
  assert.equal(models.at(-1)!.parent, header.start);
  assert.deepEqual(
    models[0]!.parts.map(({ data }) => data),
    providers.slice(0, 2).map(({ account }) => digest(`data ${account}`)),
  );
  const second = digest("model 2");
  for (const name of [second, second.slice(0, 10), second.slice(2, 12), second.toUpperCase().slice(2)]) {
    assert.deepEqual(
      traceModel(ledger, name).map(({ round }) => round),
      [2, 1],
    );
  }
  assert.deepEqual(traceModel(ledger, header.start), []);
  assert.throws(() => traceModel(ledger, "0x12345678"), { code: "LEDGER_NO_MODEL" });
  assert.throws(() => traceModel(ledger, second.slice(0, 6)), { code: "LEDGER_NO_MODEL" });
});

test("every leaf of a tree is shown to be below its root, and nothing else is", () => {
  for (let size = 1; size <= 17; size++) {
    const leaves = Array.from({ length: size }, (_, i) => payLeaf(addressOf(keys[0]!), BigInt(i)));
    const root = treeRoot(leaves);
    for (const [i, leaf] of leaves.entries()) {
      const proof = proofOf(leaves, i);
      assert.ok(isBelow(root, leaf, proof));
      assert.equal(isBelow(root, payLeaf(addressOf(keys[0]!), 99n), proof), false);
      if (proof.length > 0) assert.equal(isBelow(root, leaf, proof.slice(1)), false);
    }
  }
  assert.equal(treeRoot([]), NOTHING);
});

test("a pair is hashed in ascending order, a leaf twice, as OpenZeppelin's contracts have it", () => {
  const [a, b] = [payLeaf(providers[0]!.account, 1n), payLeaf(providers[1]!.account, 2n)].sort() as [
    Hex,
    Hex,
  ];
  assert.equal(treeRoot([a, b]), keccak256(`${a}${b.slice(2)}`));
  assert.equal(treeRoot([b, a]), treeRoot([a, b]));
  const word = (value: bigint) => value.toString(16).padStart(64, "0");
  const encoded = `0x${word(BigInt(providers[0]!.account))}${word(7n)}`;
  assert.equal(payLeaf(providers[0]!.account, 7n), keccak256(keccak256(encoded)));
});
