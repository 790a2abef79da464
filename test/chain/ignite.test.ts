import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Wallet } from "ethers";
import { verifyCode } from "../../scripts/deploy/artifacts.ts";
import { connectRpc } from "../../src/chain/rpc/rpc.ts";
import { importKey } from "../../src/chain/wallet.ts";
import { networkSchema } from "../../src/config/network-schema.ts";
import { startEvm } from "../../src/devnet/evm/evm.ts";
import type { EvmClient, EvmNode } from "../../src/devnet/evm/node.ts";
import { isIchainError } from "../../src/errors/error.ts";
import { controls } from "../support/chain/evm.ts";

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL("../../scripts/deploy.ts", import.meta.url));

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`deploying for good on ${client}`, () => {
    let node: EvmNode;
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "ichain-deploy-"));
      node = await startEvm({ client });
      const { keystoreJson } = await importKey(node.accounts[0]!.privateKey, "secret", { light: true });
      await writeFile(join(folder, "keystore.json"), keystoreJson);
      await writeFile(join(folder, "password"), "secret\n");
    });
    after(async () => {
      await node.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const deploy = async () => {
      const flags = {
        name: "test",
        "rpc-url": node.rpcUrl,
        keystore: join(folder, "keystore.json"),
        "password-file": join(folder, "password"),
        confirmations: "1",
        folder: join(folder, "ignition"),
        out: join(folder, "network.json"),
      };
      await run(process.execPath, [
        SCRIPT,
        ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
      ]);
      return networkSchema.parse(JSON.parse(await readFile(flags.out, "utf8")));
    };

    test("writes the network's file; a second deployment changes nothing", async () => {
      const first = await deploy();
      const { nonce, height } = controls(node);
      const account = new Wallet(node.accounts[0]!.privateKey).address;
      const [nonceBefore, heightBefore] = [await nonce(account), await height()];
      assert.equal(first.contracts.block, 1);
      assert.deepEqual(await deploy(), first);
      assert.deepEqual([await nonce(account), await height()], [nonceBefore, heightBefore]);
    });

    test("other code than this checkout's is noticed", async () => {
      const { contracts } = await deploy();
      const rpc = connectRpc(node.rpcUrl);
      await verifyCode(rpc, contracts.escrow, "JobEscrow");
      await assert.rejects(verifyCode(rpc, contracts.registry, "JobEscrow"), (error) =>
        isIchainError(error, "DEPLOY_UNVERIFIED"),
      );
    });
  });
}
