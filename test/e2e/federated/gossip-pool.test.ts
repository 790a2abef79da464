import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SigningKey, Wallet } from "ethers";
import { createMarket } from "../../../src/chain/market.ts";
import { DEVNET_PASSWORD, type Home } from "../../../src/devnet/homes.ts";
import { openPeerStore } from "../../../src/gossip/store.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { type Genesis, genesisDigest } from "../../../src/protocol/gossip/genesis.ts";
import { finalDigest } from "../../../src/protocol/gossip/records/block.ts";
import { recordSigner } from "../../../src/protocol/gossip/records/signatures.ts";
import type { JobId } from "../../../src/protocol/ids.ts";
import { modelFile } from "../../../src/roles/gossip/model-file.ts";
import {
  blockBy,
  confirmationsOf,
  finalBy,
  receiptBy,
  transactionBy,
} from "../../protocol/gossip/support.ts";
import { startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

const rows = fileURLToPath(new URL("../../../examples/federated-digits/test.npz", import.meta.url));
const genesis: Genesis = { name: "directions", layout: [{ name: "w", shape: [2] }] };
const network = genesisDigest(genesis);
/** A model is a direction in the plane, the better the nearer it is to the first axis: an exam that takes no time. */
const TASK = `
import ichain
import numpy as np
ichain.measure(lambda model, rows: {
    "acc": 1 - abs(float(np.arctan2(model["w"][1], model["w"][0]))) / np.pi, "loss": 1.0})
`;
const JOB = `
version: 1
name: directions-pool
image: python-ml
command: [python3, task.py]
inputs: [task.py]
resources: { cpus: 1, memory: 512 MiB, disk: 64 MiB, time: 1m }
federated:
  providers: 2
  rounds: 1
  model: start.safetensors
  test: { file: test.npz }
  pool: 0.01
  deposit: 0.001
  validators: { count: 2, fee: 0.001, deposit: 0.001 }
  gossip: { network: directions, span: 1m, past: 20m, evidence: 1 MiB }
  windows: { enlist: 5m, round: 20m, dispute: 5m }
`;

async function keyOf({ dir }: Home): Promise<SigningKey> {
  const { privateKey } = await Wallet.fromEncryptedJson(
    await readFile(join(dir, "keystore.json"), "utf8"),
    DEVNET_PASSWORD,
  );
  return new SigningKey(privateKey);
}

test(
  "validators pay a pool's peers by what training added: one trained, one shows the other's models with noise",
  needs("docker", "root"),
  async (t: TestContext) => {
    const folder = await mkdtemp(join(tmpdir(), "ichain-pool-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const market = await startTestMarket(t, { providers: 2, validators: 2, transport: "direct" });
    const homes = market.providers;
    const signers = await Promise.all(homes.map(async (home) => recordSigner(network, await keyOf(home))));
    const now = Math.floor(Date.now() / 1000);
    for (const [at, signer] of signers.entries()) {
      const dir = join(homes[at]!.dir, "gossip", genesis.name);
      await mkdir(join(dir, "models"), { recursive: true });
      const other = signers[1 - at]!;
      const witnessed = [1, 2, 3, 4].map(async (step) => {
        const weights = at === 0 ? [step, 1] : [step - 1, 1 + 0.02 * (-1) ** step];
        const file = modelFile(genesis.layout, Float32Array.from(weights));
        const digest = createHash("sha256").update(file).digest();
        await writeFile(join(dir, "models", `${digest.toString("hex")}.safetensors`), file);
        const create = now - 600 + 60 * step + at;
        const fields = { model: toHex(digest), create, expire: create + 60, bytes: file.length };
        const transaction = transactionBy(signer, fields);
        return { transaction, receipts: [receiptBy(other, transaction)] };
      });
      const block = blockBy(signer, await Promise.all(witnessed), {
        ...{ time: now - 200, genesis: network, previous: network },
      });
      const final = finalBy(signer, block, confirmationsOf(block, [other]));
      using store = openPeerStore(join(dir, "peer.db"), genesis);
      store.keep([{ kind: "final", final, tip: finalDigest(final) }]);
    }
    await cp(rows, join(folder, "test.npz"));
    await writeFile(join(folder, "start.safetensors"), modelFile(genesis.layout, Float32Array.of(0, 1)));
    await writeFile(join(folder, "task.py"), TASK);
    const job = join(folder, "job.yaml");
    await writeFile(job, JOB);
    const quote = await market.ichain(["quote", job]);
    assert.equal(quote.locked, String(12n * 10n ** 15n));
    const out = join(folder, "model");
    const { code, stdout, stderr } = await market.attempt(["submit", job, "--yes", "-o", out]);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const [trained, thief] = homes.map(({ account }) => account.toLowerCase());
    const { providers } = lines.find(({ event }) => event === "round");
    const paid = (one: string | undefined) =>
      providers.find(({ account }: { account: string }) => account === one).pay.amount;
    assert.deepEqual([paid(trained), paid(thief)], [String(98n * 10n ** 14n), "0"], stdout);
    const end = lines.at(-1);
    assert.ok(end.measured.acc > 0.8, stdout);
    assert.equal((await market.ichain(["verify", join(out, "job.ledger"), "--tip", end.tip])).rounds, 1);

    const { rpcUrl, chainId, contracts } = market.network;
    const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
    t.after(() => reader.stop());
    await market.evm.increaseTime(301);
    for await (const { members } of reader.followFederated(end.jobId as JobId)) {
      const claimed = members
        .filter(({ seat }) => !seat)
        .map(({ account, claimed: sum }) => [account.toLowerCase(), sum]);
      const freed = members.every(({ standing }) => standing === "released");
      if (!freed || claimed.every(([, sum]) => sum === 0n)) continue;
      assert.deepEqual(
        new Map(claimed as never),
        new Map([
          [trained, 98n * 10n ** 14n],
          [thief, 0n],
        ]),
      );
      break;
    }
  },
);
