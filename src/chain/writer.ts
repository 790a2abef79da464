import type { BaseWallet } from "ethers";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { Call, MarketWriter } from "../ports/market.ts";
import { signRecord } from "../protocol/federated/ledger/record.ts";
import {
  admissionTypes,
  closingTypes,
  federatedDomain,
  strikeTypes,
} from "../protocol/federated/market/signatures.ts";
import type { Address, Hex } from "../protocol/ids.ts";
import { encodeCall, jobOfCall } from "./abi/encode.ts";
import { federatedEscrowOf } from "./abi/encode-federated.ts";
import { explainRefusal } from "./abi/refusals.ts";
import type { Addresses } from "./addresses.ts";
import { marketErrors } from "./connection.ts";
import type { Database } from "./database.ts";
import { signKeys } from "./keys.ts";
import { signNotice, signTyped } from "./notices.ts";
import type { Clock } from "./rpc/clock.ts";
import type { FeeCaps } from "./rpc/fees.ts";
import type { Heads } from "./rpc/heads.ts";
import type { Rpc } from "./rpc/rpc.ts";
import { createBroadcast } from "./send/broadcast.ts";
import { openOutbox } from "./send/outbox.ts";
import { createSender } from "./send/sender.ts";
import { signPermit } from "./tokens/permit.ts";
import { explainTokenRefusal } from "./tokens/refusals.ts";
import type { Warn } from "./warnings.ts";

/** Longest wait for the chain's clock: some seconds on a devnet, a block or two elsewhere; milliseconds. */
const CLOCK_LAG_MS = 60_000;

export interface WriterOptions {
  readonly rpc: Rpc;
  readonly heads: Heads;
  readonly clock: Clock;
  readonly db: Database;
  readonly chainId: bigint;
  readonly addresses: Addresses;
  readonly confirmations: number;
  readonly fees: FeeCaps;
  readonly warn: Warn;
  readonly stuckMs: number;
  readonly graceMs: number;
}

/** The write side of the market for one wallet. */
export function createWriter(wallet: BaseWallet, options: WriterOptions): MarketWriter {
  const { rpc, heads, clock, db, chainId, addresses, graceMs } = options;
  const account = wallet.address as Address;
  const outbox = openOutbox(db, account, graceMs);
  const sender = createSender({ ...options, wallet, outbox });
  const abi = marketErrors();
  const broadcast = createBroadcast({ ...options, outbox, sender, abi });
  const explained = (refusal: unknown, call: Pick<Call, "kind"> | Call, abortOptions: AbortOptions) =>
    explainTokenRefusal(explainRefusal(refusal, abi, call.kind), call, async () =>
      clock.now(await heads.read(abortOptions), abortOptions),
    );

  /** True when a deadline has passed by our clock and not yet by the time of the chain's pending block. */
  async function isBehind(error: unknown, abortOptions: AbortOptions): Promise<boolean> {
    if (!isIchainError(error, "ESCROW_TOO_EARLY")) return false;
    return Number(error.details.deadline) < (await clock.now(await heads.read(abortOptions), abortOptions));
  }

  function signFederated(types: typeof admissionTypes, message: Record<string, unknown>): Hex {
    return signTyped(wallet, federatedDomain(chainId, federatedEscrowOf(addresses)), types, message);
  }

  return {
    account,
    signNotice: (notice) => signNotice(wallet, notice, { chainId, escrow: addresses.escrow }),
    signAdmission: (job, provider) => signFederated(admissionTypes, { job, provider }),
    signClosing: (job, closing) => signFederated(closingTypes, { job, ...closing }),
    signStrike: (job, strike) => signFederated(strikeTypes, { job, ...strike }),
    signRecord: (hash) => signRecord(wallet.signingKey, hash),
    signPermit: (request, abortOptions = {}) =>
      signPermit(rpc, wallet, chainId, { ...request, spender: addresses.escrow }, abortOptions),
    async prepare(call, abortOptions = {}) {
      const request = await encodeCall(call, {
        account,
        addresses,
        signKeys: ({ keys }) => signKeys(wallet, keys, { chainId, registry: addresses.registry }),
      });
      const jobId = jobOfCall(call, chainId, addresses);
      for (const until = performance.now() + CLOCK_LAG_MS; ; ) {
        try {
          return await sender.prepare(call.kind, request, jobId, abortOptions);
        } catch (refusal) {
          const error = await explained(refusal, call, abortOptions);
          if (!(await isBehind(error, abortOptions)) || performance.now() > until) throw error;
        }
        const head = await heads.recent(abortOptions);
        await heads.changed(head.hash, { ...abortOptions, forMs: 500 });
      }
    },
    async broadcast(tx, abortOptions) {
      try {
        return await broadcast(tx, abortOptions);
      } catch (error) {
        throw await explained(error, tx, abortOptions ?? {});
      }
    },
  };
}

/** Thrown by every write of a market without a wallet. */
export function walletMissing(): IchainError {
  return new IchainError("WALLET_MISSING", "This needs a wallet to sign with, and none is open.");
}
