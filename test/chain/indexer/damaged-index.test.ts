import assert from "node:assert/strict";
import {
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { openDatabase } from "../../../src/chain/database.ts";
import { openOutbox } from "../../../src/chain/send/outbox.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { requesterTip } from "../../support/chain/secrets.ts";
import { someTerms } from "../../support/chain/terms.ts";

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ["garbage", (path) => writeFileSync(path, "no database ".repeat(2000))],
  ["cut in half", (path) => truncateSync(path, 4096 * Math.floor(statSync(path).size / 8192))],
  [
    "overwritten in the middle",
    (path) => void writeSync(openSync(path, "r+"), Buffer.alloc(8192, 0x5a), 0, 8192, 8192),
  ],
  ["empty", (path) => truncateSync(path, 0)],
];

describe("an index that is damaged", () => {
  let chain: TestChain;
  let evm: ReturnType<typeof controls>;
  before(async () => {
    chain = await startChain({ accounts: 12 });
    evm = controls(chain.node);
    await send(chain.market(2), { kind: "publish", offer: someOffer() });
  });
  after(() => chain.stop());

  for (const [what, damage] of damages) {
    test(`is set aside and read from the chain again: ${what}`, async () => {
      const database = chain.database();
      const first = chain.market(1, { database });
      const terms = someTerms(first.account, chain.market(2).account);
      await send(first, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
      const id = first.jobIdOf(terms);
      assert.equal((await first.job(id)).state, "Posted");
      await first.stop();
      damage(database);
      const aside: string[] = [];
      const second = chain.market(1, { database, onDamage: (path) => aside.push(path) });
      assert.equal((await second.job(id)).state, "Posted");
      await send(second, { kind: "deposit", amount: 1n });
      const files = readdirSync(dirname(database)).filter((name) =>
        name.startsWith(`${basename(database)}.damaged-`),
      );
      assert.deepEqual(
        aside.map((path) => basename(path)),
        what === "empty" ? [] : files,
      );
      if (what !== "empty") assert.ok(readFileSync(aside[0]!).length > 0, "what was there is kept");
    });
  }

  test("keeps what can still be read of its transactions under way", async () => {
    const path = chain.database();
    const db = openDatabase(path);
    const account = chain.market(1).account;
    const outbox = openOutbox(db, account, 30_000);
    let n = 0;
    const sign = () => ({
      hash: `0x${(++n).toString(16).padStart(64, "0")}` as const,
      raw: `0x${"ab".repeat(500)}` as const,
    });
    const reserved = Array.from({ length: 60 }, () => outbox.reserve(0, sign));
    for (const { hash, nonce } of reserved) outbox.claim(hash, nonce);
    db.close();
    // One page of signed transactions, in the middle of them.
    const bytes = readFileSync(path);
    const pages = Array.from({ length: bytes.length / 4096 }, (_, page) => page).filter((page) =>
      bytes.subarray(page * 4096, (page + 1) * 4096).includes("ab".repeat(400)),
    );
    writeSync(openSync(path, "r+"), Buffer.alloc(4096, 0x5a), 0, 4096, pages[pages.length >> 1]! * 4096);
    const again = openDatabase(path);
    const kept = openOutbox(again, account, 30_000);
    const attempts = reserved.filter(({ hash }) => kept.attempts(hash).length === 1).length;
    const holders = reserved.filter(({ nonce }) => kept.holder(nonce)?.sent).length;
    again.close();
    assert.ok(attempts >= 30 && attempts < 60, `${attempts} attempts of 60`);
    assert.ok(holders >= 30, `${holders} reservations of 60`);
  });

  test("does not pay twice what it had signed again for a higher fee", async () => {
    const first = chain.market(3, { stuckMs: 50 });
    await send(chain.market(3), { kind: "publish", offer: someOffer() });
    await evm.holdMining();
    const tx = await first.prepare({ kind: "deposit", amount: 7n });
    const stop = new AbortController();
    const sent = first.broadcast(tx, stop).catch(() => undefined);
    // The raised signature takes the first one's place in the pool.
    for (let hash: string = tx.hash; hash === tx.hash; ) {
      const pool = (await pending(chain)).find(({ from }) => from === first.account.toLowerCase());
      hash = pool?.hash ?? tx.hash;
    }
    stop.abort();
    await sent;
    await evm.mine();
    await evm.mineAtOnce();
    await first.stop();
    // Another database, as one that was lost: it knows the first signature alone.
    const second = chain.market(3);
    const receipt = await second.broadcast(tx);
    assert.notEqual(receipt.hash, tx.hash);
    assert.equal((await second.offer(second.account))?.stake, 7n);
  });
});

async function pending({ node }: TestChain): Promise<{ hash: string; from: string }[]> {
  const { connectRpc } = await import("../../../src/chain/rpc/rpc.ts");
  const block = await connectRpc(node.rpcUrl).send("eth_getBlockByNumber", ["pending", true]);
  return (block as { transactions: { hash: string; from: string }[] }).transactions;
}
