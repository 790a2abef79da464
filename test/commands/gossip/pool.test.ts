import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { SigningKey } from "ethers";
import { asOwnerOf, makeHome } from "../../../src/devnet/homes.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { chainHeader } from "../../../src/protocol/gossip/chain/chain-file.ts";
import { recordSigner } from "../../../src/protocol/gossip/records/signatures.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import { modelFile } from "../../../src/roles/gossip/model-file.ts";
import {
  blockBy,
  confirmationsOf,
  finalBy,
  genesis,
  network,
  receiptBy,
  transactionBy,
} from "../../protocol/gossip/support.ts";
import { ichainRun, temporaryFolder } from "../../support/binary.ts";
import { send, someOffer, startChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";

const COIN = 10n ** 18n;

test("a pool on the chain is posted, enlisted in, settled by an exam and paid out", async (t) => {
  using folder = temporaryFolder();
  const path = (...names: string[]) => folder.join(...names);
  const chain = await startChain({ accounts: 4 });
  t.after(() => chain.stop());
  const { node } = chain;
  const { escrow, registry, rating, federated } = chain.addresses;
  const of = async (index: number) => {
    const key = node.accounts[index]!;
    const home = await makeHome(folder.path, `account-${index}`, key, {
      network: {
        ...{ name: "test", chainId: node.chainId, rpcUrl: node.rpcUrl, confirmations: 1, pollMs: 50 },
        contracts: { escrow, registry, rating, federated },
      },
      transport: "direct",
    });
    return async (...args: string[]) => {
      const { stdout, stderr } = await ichainRun([...args, "--json"], { ...asOwnerOf(home), CI: "1" });
      assert.notEqual(stdout.trim(), "", stderr);
      return JSON.parse(stdout.trim().split("\n").at(-1)!);
    };
  };
  const [requester, one, two] = [await of(1), await of(2), await of(3)];

  // Two peers of one chain each: the first trains, the second sends what the first showed, with noise.
  mkdirSync(path("peers", "models"), { recursive: true });
  const modelOf = (values: readonly number[]): Hex => {
    const file = modelFile(genesis.layout, Float32Array.from([...values, 0, 0, 0, 0, 0, 0]));
    const digest = createHash("sha256").update(file).digest();
    writeFileSync(path("peers", "models", `${digest.toString("hex")}.safetensors`), file);
    return toHex(digest);
  };
  const signers = [2, 3].map((index) =>
    recordSigner(network, new SigningKey(node.accounts[index]!.privateKey)),
  );
  for (const [at, signer] of signers.entries()) {
    const other = signers[1 - at]!;
    const shown = [1, 2, 3].map((step) => modelOf(at === 0 ? [step, 0] : [step - 1, 0.1 * (-1) ** step]));
    const block = blockBy(
      signer,
      shown.map((model, step) => {
        const create = 1000 + 60 * step + at;
        const transaction = transactionBy(signer, { model, create, expire: create + 60 });
        return { transaction, receipts: [receiptBy(other, transaction)] };
      }),
      { time: 1300 },
    );
    const final = finalBy(signer, block, confirmationsOf(block, [other]));
    const lines = [chainHeader(genesis), final].map((line) => JSON.stringify(line));
    writeFileSync(path("peers", `${at}.chain`), lines.join("\n"));
  }
  const accounts = [2, 3].map((index) => node.accounts[index]!.address);
  const post = ["gossip", "pool", path("peers", "0.chain"), path("pool.json"), ...accounts];
  assert.equal((await requester(...post, "--pool", "1", "--least", "3")).error.code, "USAGE");
  const posted = await requester(...post, "--pool", "1", "--span", "60s");
  assert.equal(posted.pool, String(COIN));
  const again = await requester(...post, "--pool", "1");
  assert.equal(again.error.code, "GOSSIP_POOL_INVALID", "its ticket is there");
  const settle = ["gossip", "settle", path("peers"), "--exam", path("exam"), "--ticket", path("pool.json")];
  assert.equal((await requester(...settle)).escrow.state, "Enlisting");
  const enlist = ["gossip", "enlist", path("pool.json")];
  for (const peer of [one, two]) assert.equal((await peer(...enlist)).error.code, "REGISTRY_NO_OFFER");
  for (const index of [2, 3]) {
    await send(chain.market(index), { kind: "publish", offer: someOffer({ provider: true }) });
    await send(chain.market(index), { kind: "deposit", amount: COIN });
  }
  const enlisted = await one(...enlist);
  assert.equal(enlisted.enlisted, 1, JSON.stringify(enlisted));
  assert.equal((await two(...enlist)).enlisted, 2);
  const begun = await requester(...settle);
  assert.deepEqual([begun.escrow.state, begun.measured], ["Running", false]);
  const names = readdirSync(path("exam", "models")).map((name) => name.replace(".safetensors", ""));
  const first = accounts[0]!.slice(2).toLowerCase();
  const measured = names.map((name) => [name, { exam: { acc: name.endsWith(first) ? 0.5 : 0.6 } }]);
  writeFileSync(path("exam", "measured.json"), JSON.stringify(Object.fromEntries(measured)));
  const closed = await requester(...settle);
  assert.deepEqual([closed.escrow.state, closed.escrow.paid], ["Ended", false]);
  assert.equal(
    closed.peers.find(({ account }: { account: string }) => account.toLowerCase().endsWith(first)).share,
    String((98n * COIN) / 100n),
  );
  await node.increaseTime(3601);
  await controls(node).mine();
  assert.equal((await requester(...settle)).escrow.paid, true);
  const { withdrawn } = await one("wallet", "withdraw");
  assert.equal(withdrawn[0].amount, String((98n * COIN) / 100n));
  writeFileSync(path("exam", "measured.json"), "{}");
  assert.equal((await requester(...settle)).error.code, "GOSSIP_MEASURED_INVALID");
});
