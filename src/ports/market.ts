import type { AbortOptions } from "../async/abort.ts";
import type { TokenInfo } from "../protocol/amounts.ts";
import type { Closing } from "../protocol/federated/market/closing.ts";
import type { Strike } from "../protocol/federated/market/events.ts";
import type { Address, Hex, JobId } from "../protocol/ids.ts";
import type { Job } from "../protocol/job/job.ts";
import type { Measurement } from "../protocol/job/measurement.ts";
import type { Terms } from "../protocol/job/terms.ts";
import type { Offer, OfferDetails, PublicKeys } from "../protocol/offer.ts";
import type { PastJob } from "../protocol/record.ts";
import type { Notice, SignedNotice } from "../protocol/task/notice.ts";
import type { CampaignCall, CampaignReader } from "./market/campaign.ts";
import type { FederatedCall, FederatedReader } from "./market/federated.ts";
import type { ImprovementCall, ImprovementReader } from "./market/improvement.ts";
import type { AccountCall, Ownership, UnsignedCall } from "./market/ownership.ts";

/** A call of the market's contracts; `MarketWriter.prepare` turns it into a signed transaction. */
export type Call =
  | { kind: "publish"; offer: OfferDraft }
  /** `permit`: lets the escrow take the price and the fees of a job that is paid in a token. */
  | { kind: "post"; terms: Terms; seedTip: Hex; sealed: Hex; permit?: Permit | undefined }
  | { kind: "accept"; job: Job }
  | { kind: "cancel"; job: Job }
  | {
      kind: "submit";
      job: Job;
      resultRoot: Hex;
      measurementCommitment: Hex;
      keyCommitment: Hex;
      seedTip: Hex;
      sealed: Hex;
    }
  /** `sealedLog`: the end of the run's log, sealed to the requester, at most 1 KiB. */
  | { kind: "release"; job: Job; reason: string; sealedLog?: Hex | undefined }
  /** Ends a run that the provider has accepted; by the requester. */
  | { kind: "stop"; job: Job }
  | { kind: "expire"; job: Job }
  | { kind: "appoint"; job: Job; validators: readonly { address: Address; sealed: Hex }[] }
  | { kind: "commit"; job: Job; commitment: Hex }
  /** A validator reveals its own measurement and, in the same call, the provider's where it knows it. */
  | { kind: "reveal"; job: Job; own: Measurement; providers?: Measurement | undefined }
  /** The provider reveals its own measurement. */
  | { kind: "disclose"; job: Job; own: Measurement }
  | { kind: "handover"; job: Job; validator: Address; sealed: Hex }
  /** The requester's seed for the draw under way. */
  | { kind: "revealSeed"; job: Job; maskHash: Hex; seed: Hex }
  /** Draws validators with the provider's seed; by the provider. */
  | { kind: "draw"; job: Job; seed: Hex }
  /** Removes the validators that have not committed in time; by any account. */
  | { kind: "dismiss"; job: Job }
  /** Computes the verdict after the deadline to reveal; by any account. */
  | { kind: "conclude"; job: Job }
  /** Disputes a claim, with the requester's seed for the draw. */
  | { kind: "challenge"; job: Job; maskHash: Hex; seed: Hex }
  | { kind: "appeal"; job: Job }
  | { kind: "abstain"; job: Job; reason: string }
  | { kind: "claim"; job: Job; blindedKey: Hex }
  | { kind: "settle"; job: Job }
  | { kind: "rate"; job: Job; subject: Address; score: number }
  /** Lets the escrow of jobs, or another contract, take up to `amount` of an ERC-20: for a token without permits, and for bonds. */
  | { kind: "approve"; token: Address; amount: bigint; spender?: Spender | undefined }
  | AccountCall
  | FederatedCall
  | CampaignCall
  | ImprovementCall;

/** The contract that takes a token, where it is not the escrow of ordinary jobs: of federated ones, of data campaigns, of improvement markets. */
export type Spender = "federated" | "campaigns" | "improvements";

/** A token's permission for the escrow to take an amount once (EIP-2612). */
export interface Permit {
  /** Unix seconds. */
  readonly deadline: number;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}

export interface OfferDraft {
  readonly provider: boolean;
  readonly validator: boolean;
  readonly priceFloor: bigint;
  readonly feeFloor: bigint;
  readonly keys: PublicKeys;
  readonly details: OfferDetails;
}

/** A signed transaction, recorded in the journal before it is sent; sending it twice is harmless. */
export interface PreparedTx {
  readonly kind: Call["kind"];
  readonly hash: Hex;
  readonly nonce: number;
  readonly raw: Hex;
  /** The job's name, which a `post` fixes before it is sent. */
  readonly jobId?: JobId | undefined;
}

export interface Receipt {
  readonly hash: Hex;
  readonly block: number;
  readonly gasUsed: bigint;
  /** Wei paid for the gas. */
  readonly fee: bigint;
}

/** Stake whose withdrawal was requested and is not paid yet. */
export interface Leaving {
  readonly amount: bigint;
  /** Unix seconds from which `withdrawStake` pays it. */
  readonly availableAt: number;
}

/** Seconds between blocks, and how deep an event must be for this market. */
export interface ChainPace {
  /** Estimated from recent blocks, 0.1 to 60. */
  readonly blockSeconds: number;
  /** Blocks from an event's own up to the newest, both counted, before it is acted on. */
  readonly confirmations: number;
}

export interface JobFilter {
  readonly requester?: Address;
  readonly provider?: Address;
  readonly validator?: Address;
}

/** Reads of the market's contracts. */
export interface MarketReader extends FederatedReader, CampaignReader, ImprovementReader {
  /** The chain's time, Unix seconds, between two blocks too: what deadlines are compared with. */
  now(options?: AbortOptions): Promise<number>;
  /** The pace by which windows are checked; cheap to call, because it is measured rarely. */
  chainPace(options?: AbortOptions): Promise<ChainPace>;
  /** The id that `post` of these terms will have on this chain and escrow. */
  jobIdOf(terms: Terms): JobId;
  balance(account: Address, options?: AbortOptions): Promise<bigint>;
  /** Transactions that `account` has sent, those that wait for a block included or not. */
  sentBy(account: Address, which: "mined" | "pending", options?: AbortOptions): Promise<number>;
  /**
   * The token at `address`, as its contract describes it: `COIN` for the zero address.
   * @throws TOKEN_UNUSABLE
   */
  token(address: Address, options?: AbortOptions): Promise<TokenInfo>;
  /** What `account` holds of a token, and what of it the escrow of jobs, or another contract, may take; smallest unit. */
  tokenFunds(
    account: Address,
    token: Address,
    options?: AbortOptions & { readonly spender?: Spender | undefined },
  ): Promise<{ readonly balance: bigint; readonly allowance: bigint }>;
  /** What the escrow owes `account` and `withdraw` would pay. */
  owed(account: Address, token: Address, options?: AbortOptions): Promise<bigint>;
  /** The requested withdrawal of `account`; amount 0 when there is none. */
  leaving(account: Address, options?: AbortOptions): Promise<Leaving>;
  /** Whose `account` is, and where it is paid. */
  ownership(account: Address, options?: AbortOptions): Promise<Ownership>;
  /** A call about an account, for a wallet elsewhere: a contract's, such as a Safe. */
  unsigned(call: AccountCall & { readonly of: Address }): UnsignedCall;
  /** Stake that makes a validator a member of the pool, and the most that a job may lock of one; wei of the coin. */
  poolStake(options?: AbortOptions): Promise<bigint>;
  /** Wei that a transaction sent now offers for a unit of gas, at most. */
  gasPrice(options?: AbortOptions): Promise<bigint>;
  /** Wei that the chain charges now, beside gas, for the data of transactions of these sizes, bytes; 0 on most chains. */
  dataFee(sizes: readonly number[], options?: AbortOptions): Promise<bigint>;
  offers(options?: AbortOptions): AsyncIterable<Offer>;
  offer(account: Address, options?: AbortOptions): Promise<Offer | undefined>;
  /** @throws JOB_UNKNOWN */
  job(id: JobId, options?: AbortOptions): Promise<Job>;
  jobs(filter: JobFilter, options?: AbortOptions): Promise<Job[]>;
  /**
   * For each of `providers`, in their order, the jobs that count in its record: the newest `RECORD_JOBS` that settled, and
   * as many faults.
   */
  pastJobs(providers: readonly Address[], options?: AbortOptions): AsyncIterable<readonly PastJob[]>;
  /**
   * The id that starts with `prefix` (0x optional).
   * @throws JOB_UNKNOWN
   * @throws JOB_AMBIGUOUS
   */
  resolveJob(prefix: string, options?: AbortOptions): Promise<JobId>;
  /** True when `account` signed exactly this notice. Signatures of contract wallets are not known here. */
  isSigned(signed: SignedNotice, account: Address): boolean;
  /**
   * Yields the job now, again at every change, and at the instants after which a call becomes possible without an event
   * (`instantsOf`). Returns after the final state; throws when `signal` aborts.
   */
  follow(id: JobId, options?: AbortOptions): AsyncIterable<Job>;
  /** Yields every job that matches, first the present ones, then each that appears or changes; never returns. */
  watch(filter: JobFilter, options?: AbortOptions): AsyncIterable<Job>;
}

/** Calls of the market's contracts by one account, with one sequence of nonces. */
export interface MarketWriter {
  readonly account: Address;
  signNotice(notice: Notice): SignedNotice;
  /** The signature of this account, as requester of a federated job, by which `provider` may enlist. */
  signAdmission(job: JobId, provider: Address): Hex;
  /** The signature of this account, as a seat of a federated job, of what it says of a round. */
  signClosing(job: JobId, closing: Closing): Hex;
  /** The signature of this account, as a seat, that a replay does not give an update. */
  signStrike(job: JobId, strike: Strike): Hex;
  /** This account's signature of a record of a federated job's ledger, given its hash (`recordHash`). */
  signRecord(hash: Hex): Hex;
  /** A permit for the escrow until `deadline`, Unix seconds; undefined when the token has no permits. */
  signPermit(
    request: { token: Address; amount: bigint; deadline: number },
    options?: AbortOptions,
  ): Promise<Permit | undefined>;
  /**
   * Simulates the call, then signs it.
   * @throws the catalogue's code for the contract's error
   */
  prepare(call: Call, options?: AbortOptions): Promise<PreparedTx>;
  /** Looks the hash up, sends the transaction when the chain does not have it, and waits for inclusion. Idempotent. */
  broadcast(tx: PreparedTx, options?: AbortOptions): Promise<Receipt>;
}

export interface Market extends MarketReader, MarketWriter {
  start(options?: AbortOptions): Promise<void>;
  stop(): Promise<void>;
}
