import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCall } from "../../../src/chain/abi/encode.ts";
import { readDataFee } from "../../../src/chain/rpc/data-fee.ts";
import { connectRpc } from "../../../src/chain/rpc/rpc.ts";
import { startEvm } from "../../../src/devnet/evm/evm.ts";
import { isIchainError } from "../../../src/errors/error.ts";
import type { Call } from "../../../src/ports/market.ts";
import type { Address } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { dataSizesOf, providerDataSizes } from "../../../src/protocol/policy/quote.ts";
import { random32, someTerms } from "../../support/chain/terms.ts";

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

test("a policy counts the provider's transactions as long as they are", async () => {
  const [a, b] = ["11", "22"].map((byte) => `0x${byte.repeat(20)}`) as [Address, Address];
  const [resultRoot, measurementCommitment, keyCommitment, seedTip] = Array.from({ length: 4 }, random32);
  const submission = { resultRoot, measurementCommitment, keyCommitment, seedTip, sealedResult: "0x" };
  const validations = Array.from({ length: 8 }, () => ({ validator: a }));
  const job = { terms: someTerms(a, b), submission, validations } as unknown as Job;
  const sealed = `0x${"5e".repeat(512)}`;
  const calls = [
    { kind: "accept" },
    { kind: "submit", ...submission, sealed },
    { kind: "claim", blindedKey: resultRoot },
  ];
  const addresses = { escrow: a, registry: b, rating: b };
  const sizes = await Promise.all(
    calls.map(async (call) => {
      const { data } = await encodeCall({ ...call, job } as Call, {
        account: a,
        addresses,
        signKeys: () => "0x",
      });
      return (data.length - 2) / 2 + 120;
    }),
  );
  assert.deepEqual(sizes, providerDataSizes);
});
