import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { Call } from "../../../ports/market.ts";
import { COIN } from "../../../protocol/amounts.ts";
import { memberOf } from "../../../protocol/federated/market/fold.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { type FederatedTerms, federatedPriceOf, seedHash } from "../../../protocol/federated/market/terms.ts";
import type { ConfirmedModel } from "../../../protocol/gossip/settle/counted.ts";
import {
  type PoolPay,
  type PoolSpec,
  type PoolTicket,
  payoutsOf,
  poolClosing,
  poolSpecHash,
} from "../../../protocol/gossip/settle/pool.ts";
import { type Address, type Hex, type JobId, sameAddress } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { unlessRefused } from "../../federated/market/unless-refused.ts";
import { refuseOverBudget } from "../../job/requester/posting/budget.ts";
import { random32 } from "../../shared/random.ts";
import { transact } from "../../shared/transact.ts";

type Context = Pick<RoleContext, "account" | "market" | "journal" | "budgets">;

export interface PoolRequest {
  readonly spec: PoolSpec;
  /** Wei. */
  readonly pool: bigint;
  /** Of each peer, wei. */
  readonly deposit: bigint;
  readonly peers: readonly Address[];
  /** Peers without which it does not begin. */
  readonly least: number;
  /** Seconds: to enlist, from then on to settle, to dispute. */
  readonly windows: { readonly enlist: number; readonly period: number; readonly dispute: number };
}

/**
 * Posts a pool as a federated job of one round that its requester leads. `keep` has the peers' admissions before the job is
 * on the chain: without them no peer could enlist.
 * @throws BUDGET_EXCEEDED
 */
export async function postPool(
  context: Context,
  { spec, pool, deposit, peers, least, windows }: PoolRequest,
  keep: (ticket: PoolTicket) => Promise<void>,
  options: Abortable,
): Promise<PoolTicket> {
  const { account, market } = context;
  const now = await market.now(options);
  const terms: FederatedTerms = {
    ...{ requester: account, token: COIN.address, roundPrice: pool, seatFee: 0n },
    ...{ providerStake: deposit, seatStake: 0n, refunds: false, rounds: 1 },
    ...{ least, places: peers.length, seats: 0 },
    ...{ enlistBy: now + windows.enlist, roundWindow: windows.period, disputeWindow: windows.dispute },
    ...{ specHash: poolSpecHash(spec), bundleRoot: spec.genesis, seedHash: seedHash(random32()) },
  };
  refuseOverBudget(context as RoleContext, { locked: federatedPriceOf(terms), token: COIN });
  const job = market.federatedJobIdOf(terms);
  const admissions = peers.map((peer) => [
    peer.toLowerCase(),
    market.signAdmission(job, peer).toLowerCase() as Hex,
  ]);
  const ticket: PoolTicket = { job, spec, admissions: Object.fromEntries(admissions) };
  await keep(ticket);
  await call(context, job, "post", { kind: "postFederated", federated: { terms }, sealed: "0x" }, options);
  return ticket;
}

/** Enlists this account with its deposit; what is there already is left. */
export async function enlistInPool(
  context: Context,
  ticket: PoolTicket,
  options: Abortable,
): Promise<FederatedJob> {
  const { account, market } = context;
  const federated = await poolOf(context, ticket, options);
  if (memberOf(federated, account) !== undefined) return federated;
  const admission = ticket.admissions[account.toLowerCase() as Address];
  if (admission === undefined) throw refused(ticket.job, `it has no admission of ${account}`);
  await call(context, ticket.job, "enlist", { kind: "enlist", federated, admission }, options);
  return market.federatedJob(ticket.job, options);
}

/**
 * The pool as it stands, once it is seen to be what the ticket says; the requester's begins when all peers have enlisted,
 * or enough and the time is over.
 * @throws GOSSIP_POOL_INVALID
 */
export async function openPool(
  context: Context,
  ticket: PoolTicket,
  options: Abortable,
): Promise<FederatedJob> {
  const { account, market } = context;
  const federated = await poolOf(context, ticket, options);
  const { state, terms, members } = federated;
  if (!sameAddress(terms.requester, account)) throw refused(ticket.job, `${terms.requester} posted it`);
  const isFull = members.length >= terms.places;
  const isDue = isFull || (await market.now(options)) > terms.enlistBy;
  if (state !== "Enlisting" || !isDue || members.length < terms.least) return federated;
  await call(context, ticket.job, "begin", { kind: "begin", federated }, options);
  return market.federatedJob(ticket.job, options);
}

/** Closes the pool with what each account gets. */
export async function closePool(
  context: Context,
  federated: FederatedJob,
  { pay, counted, measured }: { pay: PoolPay; counted: readonly ConfirmedModel[]; measured: string },
  options: Abortable,
): Promise<FederatedJob> {
  const closing = poolClosing(pay, counted, measured);
  await call(
    context,
    federated.id,
    "close",
    { kind: "closeRound", federated, closing, approvals: [] },
    options,
  );
  return context.market.federatedJob(federated.id, options);
}

/** Credits every account with its pay and frees the deposits, once no dispute is possible any more; false before. */
export async function payPool(
  context: Context,
  federated: FederatedJob,
  pay: PoolPay,
  options: Abortable,
): Promise<boolean> {
  if (federated.state !== "Ended" || (await context.market.now(options)) <= federated.deadline) return false;
  const { id } = federated;
  const claim = { kind: "claimPay", federated, round: 1, payouts: payoutsOf(pay) } as const;
  // Any account may make these calls, and one may have.
  await unlessRefused(() => call(context, id, "claim", claim, options));
  await unlessRefused(() => call(context, id, "release", { kind: "releaseStakes", federated }, options));
  return true;
}

async function poolOf({ market }: Context, { job, spec }: PoolTicket, options: Abortable) {
  const federated = await market.federatedJob(job, options);
  const { specHash, seats, rounds } = federated.terms;
  if (specHash !== poolSpecHash(spec) || seats !== 0 || rounds !== 1)
    throw refused(job, "it was posted for something else");
  return federated;
}

function call({ market, journal }: Context, job: JobId, name: string, one: Call, { signal }: Abortable) {
  return transact(market, journal.open("account", `gossip-pool-${job}`), one, { name, signal });
}

function refused(job: JobId, why: string): IchainError {
  return new IchainError("GOSSIP_POOL_INVALID", `The pool ${job} is not the ticket's: ${why}.`);
}
