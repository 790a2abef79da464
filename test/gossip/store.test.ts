import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openPeerStore } from "../../src/gossip/store.ts";
import { chainHeader, readChain } from "../../src/protocol/gossip/chain/chain-file.ts";
import { finalDigest } from "../../src/protocol/gossip/records/block.ts";
import { receiptDigest, transactionDigest } from "../../src/protocol/gossip/records/transaction.ts";
import {
  blockBy,
  confirmationsOf,
  finalBy,
  genesis,
  network,
  receiptBy,
  signerOf,
  transactionBy,
} from "../protocol/gossip/support.ts";
import { temporaryFolder } from "../support/binary.ts";

const [owner, witness] = [signerOf("owner"), signerOf("witness")];
const program = fileURLToPath(new URL("./playing-peer.ts", import.meta.url));

test("a store gives back what was kept in it, and what is over it does not", () => {
  using folder = temporaryFolder();
  const path = folder.join("peer.db");
  const transaction = transactionBy(owner);
  const witnessed = { transaction, receipts: [receiptBy(witness, transaction)] };
  const block = blockBy(owner, [witnessed]);
  const final = finalBy(owner, block, confirmationsOf(block, [witness]));
  const digest = transactionDigest(transaction);
  const given = { digest: receiptDigest(witnessed.receipts[0]!), transaction: digest, create: 5000 };
  const { account } = witness.identity;
  const none = { height: 0, tip: network, own: [], given: [], reputations: [] };
  {
    using store = openPeerStore(path, genesis);
    assert.deepEqual(store.state(), none);
    store.keep([{ kind: "own", digest, witnessed: { transaction, receipts: [] } }]);
    store.keep([
      { kind: "own", digest, witnessed },
      { kind: "given", receipt: { ...given, digest: network, create: 1000 } },
      { kind: "given", receipt: given },
      { kind: "given", receipt: { ...given, block: network } },
      { kind: "reputation", account, value: 0.5 },
    ]);
    assert.deepEqual(store.state(), {
      ...none,
      own: [witnessed],
      given: [{ ...given, block: network }],
      reputations: [[account, 0.5]],
    });
    store.keep([
      { kind: "draft", block },
      { kind: "confirmed", confirmation: final.confirmations[0]! },
    ]);
  }
  using store = openPeerStore(path);
  const { own, draft } = store.state();
  assert.deepEqual([own, draft], [[], { block, confirmations: final.confirmations }]);
  store.keep([{ kind: "final", final, tip: finalDigest(final) }]);
  const after = store.state();
  assert.deepEqual([after.height, after.tip, after.draft], [1, finalDigest(final), undefined]);
  assert.deepEqual(readChain([JSON.stringify(chainHeader(genesis)), ...store.blocks()]).blocks, [final]);
});

test("a store is of one network, and a file that is none is told apart from one that is damaged", () => {
  using folder = temporaryFolder();
  openPeerStore(folder.join("a.db"), genesis)[Symbol.dispose]();
  const code = (name: string, of?: typeof genesis): unknown => {
    try {
      openPeerStore(folder.join(name), of)[Symbol.dispose]();
    } catch (error) {
      return (error as { code: unknown }).code;
    }
    return "opened";
  };
  assert.equal(code("a.db"), "opened");
  assert.equal(code("a.db", { ...genesis, name: "letters" }), "GOSSIP_STORE_OTHER");
  const database = new DatabaseSync(folder.join("other.db"));
  database.exec("CREATE TABLE network (name TEXT)");
  database.close();
  const before = readFileSync(folder.join("other.db"));
  assert.equal(code("other.db"), "GOSSIP_STORE_OTHER");
  assert.deepEqual(readFileSync(folder.join("other.db")), before);
  writeFileSync(folder.join("text.db"), "no database, but long enough to be looked at as one".repeat(40));
  assert.equal(code("text.db", genesis), "GOSSIP_STORE_DAMAGED");
  assert.equal(code("text.db"), "GOSSIP_STORE_DAMAGED");
});

test("peers that are killed at any time go on with the chains that they had, and these hold", async () => {
  using folder = temporaryFolder();
  const told = new Map<string, number>();
  for (const run of [0, 1, 2]) {
    const child = spawn(process.execPath, [program, folder.path, String(1000 * (run + 1))], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const before = [...told.values()].reduce((sum, height) => sum + height, 0);
    for await (const line of createInterface(child.stdout)) {
      const [name, height] = line.split(" ");
      told.set(name!, Number(height));
      const now = [...told.values()].reduce((sum, one) => sum + one, 0);
      if (now === before + 2) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    assert.equal(child.signalCode, "SIGKILL");
  }
  for (const [name, height] of told) {
    using store = openPeerStore(folder.join(`${name}.db`));
    const { blocks, tip } = readChain([JSON.stringify(chainHeader(genesis)), ...store.blocks()]);
    assert.ok(blocks.length >= height, `${name}: ${blocks.length} of ${height}`);
    assert.equal(store.state().tip, tip);
    assert.ok(
      blocks.some(({ block }) => block.time >= 3000),
      "and grew after the second kill",
    );
  }
});
