import { AbiCoder, type BaseWallet, concat, Transaction } from "ethers";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import type { Address, Hex } from "../protocol/ids.ts";
import { artifactOf } from "./abi/artifacts.ts";
import { explainRefusal } from "./abi/refusals.ts";
import type { Addresses } from "./addresses.ts";
import { readNonce } from "./rpc/blocks.ts";
import { bindContract } from "./rpc/contract.ts";
import { currentFees, DEFAULT_FEE_CAPS } from "./rpc/fees.ts";
import { watchHeads } from "./rpc/heads.ts";
import { answered, parseQuantity } from "./rpc/quantities.ts";
import { connectRpc, type Rpc } from "./rpc/rpc.ts";
import { findReceipt, sendRaw } from "./send/raw.ts";

export interface DeployOptions extends AbortOptions {
  readonly rpcUrl: string;
  readonly wallet: BaseWallet;
  /** Stake that a validator needs to be drawn, wei. */
  readonly poolStake?: bigint | undefined;
  /** Seconds between the request to withdraw a stake and its payment. */
  readonly cooldown?: number | undefined;
}

export interface Deployment extends Addresses {
  readonly chainId: number;
  readonly block: number;
}

export const DEFAULT_POOL_STAKE = 10n ** 18n;
export const DEFAULT_COOLDOWN = 7 * 86_400;

/**
 * Deploys the market in one transaction: the escrow's constructor creates registry and rating. For the devnet, where
 * every start is a new chain; a lasting chain is deployed to with Ignition (`ignition/`), which resumes.
 * @throws DEPLOY_FAILED
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { wallet, poolStake = DEFAULT_POOL_STAKE, cooldown = DEFAULT_COOLDOWN, ...abortOptions } = options;
  const rpc = connectRpc(options.rpcUrl);
  const { abi, bytecode } = artifactOf("JobEscrow");
  const data = concat([
    bytecode,
    AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [poolStake, cooldown]),
  ]);
  const from = wallet.address as Address;
  try {
    const [chainId, gas, fees, nonce] = await Promise.all([
      rpc.send("eth_chainId", [], abortOptions),
      rpc.send("eth_estimateGas", [{ from, data }], abortOptions),
      currentFees(rpc, DEFAULT_FEE_CAPS, abortOptions),
      readNonce(rpc, from, "pending", abortOptions),
    ]);
    const tx = Transaction.from({
      type: 2,
      chainId: answered(parseQuantity, chainId, "its chain id"),
      nonce,
      data,
      gasLimit: (answered(parseQuantity, gas, "an estimate of gas") * 5n) / 4n,
      maxFeePerGas: fees.max,
      maxPriorityFeePerGas: fees.priority,
    });
    tx.signature = wallet.signingKey.sign(tx.unsignedHash);
    return await sendAndWait(rpc, tx, from, abortOptions);
  } catch (error) {
    throw explainRefusal(error, abi, "deploy the market");
  }
}

async function sendAndWait(
  rpc: Rpc,
  tx: Transaction,
  from: Address,
  abortOptions: AbortOptions,
): Promise<Deployment> {
  const attempt = { hash: tx.hash as Hex, raw: tx.serialized as Hex, nonce: tx.nonce, at: Date.now() };
  const heads = watchHeads(rpc, 500);
  await sendRaw(rpc, attempt, abortOptions);
  for (;;) {
    const head = await heads.read(abortOptions);
    const mined = await findReceipt(rpc, [attempt], abortOptions);
    if (mined?.contract !== undefined && mined.succeeded) {
      const escrow = bindContract(rpc, mined.contract, artifactOf("JobEscrow").abi);
      const [registry, rating] = await Promise.all([
        escrow.read("registry", [], abortOptions),
        escrow.read("rating", [], abortOptions),
      ]);
      return {
        chainId: Number(tx.chainId),
        escrow: mined.contract,
        registry: registry[0] as Address,
        rating: rating[0] as Address,
        block: mined.block,
      };
    }
    if (mined !== undefined) throw failed(from);
    await heads.changed(head.hash, abortOptions);
  }
}

function failed(from: Address): IchainError {
  return new IchainError(
    "DEPLOY_FAILED",
    "The market's contracts could not be deployed: the transaction reverted.",
    { details: { from } },
  );
}
