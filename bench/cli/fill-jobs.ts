import { randomBytes } from "node:crypto";
import { encodeCall } from "../../src/chain/abi/encode.ts";
import type { Addresses } from "../../src/chain/addresses.ts";
import { connectRpc } from "../../src/chain/rpc/rpc.ts";
import { toHex } from "../../src/protocol/bytes.ts";
import type { Address } from "../../src/protocol/ids.ts";
import { random32, someTerms } from "../../test/support/chain/terms.ts";

/** Bytes of a sealed locator of usual size. */
const SEALED = 512;
/** Jobs a block. */
const BATCH = 50;

/** Posts `count` jobs of `account` to `provider`, on anvil, which sends for accounts without their signature. */
export async function fillJobs(
  rpcUrl: string,
  addresses: Addresses,
  { account, provider }: { account: Address; provider: Address },
  count: number,
): Promise<void> {
  const rpc = connectRpc(rpcUrl);
  await rpc.send("anvil_autoImpersonateAccount", [true]);
  await rpc.send("evm_setAutomine", [false]);
  for (let done = 0; done < count; done += BATCH) {
    for (let i = done; i < Math.min(done + BATCH, count); i++) {
      const terms = someTerms(account, provider, {
        acceptBy: Math.floor(Date.now() / 1000) + 86_400,
        secretHash: random32(),
      });
      const sealed = toHex(randomBytes(SEALED));
      const call = { kind: "post", terms, seedTip: random32(), sealed } as const;
      const { to, data, value } = await encodeCall(call, { account, addresses, signKeys: () => "0x" });
      const sums = { value: `0x${value.toString(16)}`, gas: "0x7a120" };
      await rpc.send("eth_sendTransaction", [{ from: account, to, data, ...sums, gasPrice: "0x77359400" }]);
    }
    await rpc.send("anvil_setNextBlockBaseFeePerGas", ["0x3b9aca00"]);
    await rpc.send("evm_mine", []);
  }
  await rpc.send("evm_setAutomine", [true]);
}
