import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { connectRpc } from "../../src/chain/rpc/rpc.ts";
import { startEvm } from "../../src/devnet/evm/evm.ts";
import { DEVNET_BALANCE, type EvmClient, type EvmNode } from "../../src/devnet/evm/node.ts";
import { isIchainError } from "../../src/errors/error.ts";

for (const client of ["hardhat", "anvil"] satisfies EvmClient[]) {
  describe(`a devnet chain by ${client}`, () => {
    const nodes: EvmNode[] = [];
    after(() => Promise.all(nodes.map((node) => node.stop())));
    const start = async (port = 0) => {
      const node = await startEvm({ client, accounts: 3, port });
      nodes.push(node);
      return node;
    };

    test("answers on loopback with its chain id and funded accounts", async () => {
      const node = await start();
      const rpc = connectRpc(node.rpcUrl);
      assert.equal(BigInt((await rpc.send("eth_chainId", [])) as string), 31337n);
      assert.equal(node.accounts.length, 3);
      for (const { address } of node.accounts) {
        const balance = await rpc.send("eth_getBalance", [address, "latest"]);
        assert.equal(BigInt(balance as string), DEVNET_BALANCE);
      }
    });

    test("lets time pass when told", async () => {
      const node = await start();
      const rpc = connectRpc(node.rpcUrl);
      const time = async () => {
        const block = (await rpc.send("eth_getBlockByNumber", ["latest", false])) as { timestamp: string };
        return Number(block.timestamp);
      };
      const before = await time();
      await node.increaseTime(3600);
      assert.ok((await time()) >= before + 3600);
    });

    test("two run side by side, and a stopped one no longer answers", async () => {
      const [one, other] = [await start(), await start()];
      assert.notEqual(one.rpcUrl, other.rpcUrl);
      await one.stop();
      await one.stop();
      await assert.rejects(connectRpc(one.rpcUrl).send("eth_chainId", []), (error) =>
        isIchainError(error, "CHAIN_UNAVAILABLE"),
      );
      await connectRpc(other.rpcUrl).send("eth_chainId", []);
    });

    test("a port in use is a clear error", async () => {
      const port = Number(new URL((await start()).rpcUrl).port);
      await assert.rejects(start(port), (error) => isIchainError(error, "DEVNET_EVM_FAILED"));
    });

    test("an aborted start leaves nothing behind", async () => {
      await assert.rejects(startEvm({ client, signal: AbortSignal.abort() }), { name: "AbortError" });
    });
  });
}
