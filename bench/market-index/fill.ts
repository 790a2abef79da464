import { randomBytes } from "node:crypto";
import { Wallet } from "ethers";
import { artifactOf } from "../../src/chain/abi/artifacts.ts";
import type { Addresses } from "../../src/chain/addresses.ts";
import { signKeys } from "../../src/chain/keys.ts";
import { connectRpc } from "../../src/chain/rpc/rpc.ts";
import { toHex } from "../../src/protocol/bytes.ts";
import type { Hex } from "../../src/protocol/ids.ts";

/** Accounts a block, so that blocks are full as on a busy chain. */
const BATCH = 250;
const GAS = "0x1e8480";
/** 2 gwei. */
const GAS_PRICE = "0x77359400";

/**
 * Makes `count` accounts that publish an offer with keys and details of usual size, deposit stake, and have a rating and
 * a settled job in their record. On anvil, which sends for accounts without their signature; also for the escrow, so
 * that a rating needs no whole job. The signatures over their keys are real.
 */
export async function fillMarket(
  rpcUrl: string,
  { escrow, registry, rating }: Addresses,
  count: number,
): Promise<void> {
  const rpc = connectRpc(rpcUrl);
  const registryAbi = artifactOf("ProviderRegistry").abi;
  const ratingAbi = artifactOf("ProviderRating").abi;
  const chainId = BigInt((await rpc.send("eth_chainId", [])) as string);
  const rich = "0x3635c9adc5dea00000";
  await rpc.send("anvil_autoImpersonateAccount", [true]);
  await rpc.send("anvil_setBalance", [escrow, rich]);
  await rpc.send("evm_setAutomine", [false]);
  const sendFrom = (from: string, to: string, data: string, value = "0x0") =>
    rpc.send("eth_sendTransaction", [{ from, to, data, value, gas: GAS, gasPrice: GAS_PRICE }]);

  for (let done = 0; done < count; done += BATCH) {
    const wallets = Array.from(
      { length: Math.min(BATCH, count - done) },
      () => new Wallet(toHex(randomBytes(32))),
    );
    for (const [i, wallet] of wallets.entries()) {
      const { address } = wallet;
      const keys = { openpgpKey: toHex(randomBytes(620)), fingerprint: random32(), onionKey: random32() };
      const draft = {
        provider: true,
        validator: (done + i) % 4 === 0,
        priceFloor: BigInt(1 + ((done + i) % 1000)) * 10n ** 15n,
        feeFloor: 10n ** 14n,
        ...keys,
        details: toHex(new TextEncoder().encode(JSON.stringify(details(done + i)))),
      };
      await rpc.send("anvil_setBalance", [address, rich]);
      const signature = signKeys(wallet, keys, { chainId, registry });
      await sendFrom(address, registry, registryAbi.encodeFunctionData("publish", [draft, signature]));
      await sendFrom(
        address,
        registry,
        registryAbi.encodeFunctionData("deposit", [address]),
        "0xde0b6b3a7640000",
      );
      await sendFrom(escrow, rating, ratingAbi.encodeFunctionData("record", [address, 0, 0]));
      await sendFrom(
        escrow,
        rating,
        ratingAbi.encodeFunctionData("rate", [address, 0, 1 + ((done + i) % 5)]),
      );
    }
    await mineAll(rpcUrl);
  }
  await rpc.send("evm_setAutomine", [true]);
}

/** Mines block after block until the pool is empty. */
async function mineAll(rpcUrl: string): Promise<void> {
  const rpc = connectRpc(rpcUrl);
  for (;;) {
    // Full blocks would raise the base fee with every block.
    await rpc.send("anvil_setNextBlockBaseFeePerGas", ["0x3b9aca00"]);
    await rpc.send("evm_mine", []);
    const { pending, queued } = (await rpc.send("txpool_status", [])) as { pending: string; queued: string };
    if (Number(pending) + Number(queued) === 0) return;
  }
}

function details(i: number) {
  return {
    version: 1,
    name: `provider ${i}`,
    tier: ["runc", "userns", "gvisor"][i % 3],
    cpus: 1 + (i % 64),
    memoryBytes: 2 ** (30 + (i % 8)),
    diskBytes: 2 ** 38,
    gpus: i % 2 === 0 ? [{ model: "NVIDIA H200", memoryBytes: 141 * 2 ** 30 }] : [],
    images: [{ name: "python-ml", digest: `sha256:${"ab".repeat(32)}` }],
  };
}

function random32(): Hex {
  return toHex(randomBytes(32));
}
