import { type BaseWallet, Transaction } from "ethers";
import type { AbortOptions } from "../../async/abort.ts";
import type { UnsignedCall } from "../../ports/market/ownership.ts";
import type { Call, PreparedTx } from "../../ports/market.ts";
import type { Address, Hex, JobId } from "../../protocol/ids.ts";
import { fundsTooLow } from "../abi/refusals.ts";
import { hexNumber, readNonce } from "../rpc/blocks.ts";
import { currentFees, type FeeCaps, type Fees, feeTooHigh, raisedFees } from "../rpc/fees.ts";
import { answered, parseQuantity } from "../rpc/quantities.ts";
import type { Rpc } from "../rpc/rpc.ts";
import type { Attempt, Outbox, Signed } from "./outbox.ts";

/** Signs calls of one account; decides gas, fees and nonces. Sends nothing. */
export interface Sender {
  readonly account: Address;
  /**
   * Simulates first, so that a call that would revert uses no nonce.
   * @throws RpcRefusal, FUNDS_TOO_LOW, FEE_TOO_HIGH
   */
  prepare(
    kind: Call["kind"],
    request: UnsignedCall,
    jobId: JobId | undefined,
    options?: AbortOptions,
  ): Promise<PreparedTx>;
  /** The call of `attempt` signed again under a new nonce; simulates as `prepare` does. */
  again(root: Hex, attempt: Attempt, options?: AbortOptions): Promise<Attempt>;
  /**
   * The call of `attempt` signed again under the same nonce for higher fees.
   * @throws FEE_TOO_HIGH when the caps do not allow them
   */
  raise(root: Hex, attempt: Attempt, options?: AbortOptions): Promise<Attempt>;
  /** Fills an unused nonce, which blocks all later ones, with a transaction that does nothing. */
  fill(nonce: number, options?: AbortOptions): Promise<Attempt>;
}

export interface SenderOptions {
  readonly rpc: Rpc;
  readonly wallet: BaseWallet;
  readonly chainId: bigint;
  readonly outbox: Outbox;
  readonly fees: FeeCaps;
}

export function createSender({ rpc, wallet, chainId, outbox, fees: caps }: SenderOptions): Sender {
  const account = wallet.address as Address;

  const sign = (request: UnsignedCall, gas: bigint, fees: Fees, nonce: number): Signed => {
    const tx = Transaction.from({
      type: 2,
      chainId,
      nonce,
      to: request.to,
      data: request.data,
      value: request.value,
      gasLimit: gas,
      maxFeePerGas: fees.max,
      maxPriorityFeePerGas: fees.priority,
    });
    tx.signature = wallet.signingKey.sign(tx.unsignedHash);
    return { hash: tx.hash as Hex, raw: tx.serialized as Hex };
  };

  const allocate = async (
    request: UnsignedCall,
    root: Hex | undefined,
    options: AbortOptions | undefined,
  ) => {
    const [gas, fees, pending, balance] = await Promise.all([
      estimate(rpc, account, request, options),
      currentFees(rpc, caps, options),
      readNonce(rpc, account, "pending", options),
      rpc.send("eth_getBalance", [account, "latest"], options),
    ]);
    // Not every node looks at this before the transaction is sent.
    const needed = request.value + gas * fees.max;
    if (answered(parseQuantity, balance, "a balance") < needed) throw fundsTooLow({ needed: String(needed) });
    options?.signal?.throwIfAborted();
    return outbox.reserve(pending, (nonce) => sign(request, gas, fees, nonce), root);
  };

  return {
    account,
    async prepare(kind, request, jobId, options) {
      const { hash, nonce, raw } = await allocate(request, undefined, options);
      return { kind, hash, nonce, raw, ...(jobId === undefined ? {} : { jobId }) };
    },
    again: (root, attempt, options) => allocate(requestOf(attempt), root, options),
    async raise(root, attempt, options) {
      const old = Transaction.from(attempt.raw);
      const paid = { max: old.maxFeePerGas ?? 0n, priority: old.maxPriorityFeePerGas ?? 0n };
      const now = await currentFees(rpc, caps, options);
      const fees = raisedFees(paid, now);
      if (fees.max > now.cap) throw feeTooHigh(fees.max, now.cap);
      return outbox.replace(root, attempt.nonce, sign(requestOf(attempt), old.gasLimit, fees, attempt.nonce));
    },
    async fill(nonce, options) {
      const nothing: UnsignedCall = { to: account, data: "0x", value: 0n };
      const fees = await currentFees(rpc, caps, options);
      return outbox.reserve(nonce, (free) => sign(nothing, 21_000n, fees, free));
    },
  };
}

/** The call of an attempt, without nonce and fees. */
export function requestOf(attempt: Attempt): UnsignedCall {
  const { to, data, value } = Transaction.from(attempt.raw);
  return { to: to as Address, data: data as Hex, value };
}

/** Writing a word that was zero (EIP-2929), less what writing it again would take. */
const FRESH_WORD_GAS = 22_100n;

/**
 * Estimated in the pending block, whose time is now, so that deadlines that have passed count as passed. A quarter and
 * two fresh words are added, since the state may change before the transaction is mined: a second later the pool writes
 * new checkpoints instead of those of the estimate. Unused gas costs nothing.
 */
async function estimate(
  rpc: Rpc,
  from: Address,
  { to, data, value }: UnsignedCall,
  options?: AbortOptions,
): Promise<bigint> {
  const call = { from, to, data, value: hexNumber(value) };
  const gas = answered(
    parseQuantity,
    await rpc.send("eth_estimateGas", [call, "pending"], options),
    "an estimate of gas",
  );
  return (gas * 5n) / 4n + 2n * FRESH_WORD_GAS;
}
