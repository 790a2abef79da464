import assert from "node:assert/strict";
import { test } from "node:test";
import { readDataFee } from "../../../src/chain/rpc/data-fee.ts";
import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import { startEvm } from "../../../src/devnet/evm/evm.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import { dataSizesOf } from "../../../src/protocol/policy/quote.ts";

const ORACLE = "0x420000000000000000000000000000000000000F";
/** Answers every call with a gwei for each byte of its first argument. */
const CODE = "0x602435633b9aca000260005260206000f3";

test("the data fee is what the chain's oracle asks for each transaction, and an error without an oracle", async () => {
  const node = await startEvm({ client: "hardhat" });
  try {
    const rpc = connectRpc(node.rpcUrl);
    await assert.rejects(readDataFee(rpc, [100]), (error) => isIchainError(error, "CHAIN_UNAVAILABLE"));
    await rpc.send("hardhat_setCode", [ORACLE, CODE]);
    const sizes = dataSizesOf({ validators: 3, permit: false });
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    assert.equal(await readDataFee(rpc, sizes), BigInt(bytes) * 10n ** 9n);
    assert.equal(await readDataFee(rpc, []), 0n);
  } finally {
    await node.stop();
  }
});
