import { Contract, type JsonRpcProvider } from "ethers";
import {
  appealBondOf,
  challengeBondOf,
  type Ending,
  moneyOf,
  type Seat,
} from "../../../scripts/sim/rules.ts";
import { artifactOf } from "../../../src/chain/abi/artifacts.ts";
import type { NetworkConfig } from "../../../src/config/network-schema.ts";
import { type Address, sameAddress, ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import type { Job, Validation } from "../../../src/protocol/job/job.ts";
import { isFinal } from "../../../src/protocol/job/state.ts";
import { voteOf } from "../../../src/protocol/task/judgement.ts";

/** A market's money as the chain shows it. */
export interface Books {
  /** Coin, stake in service and leaving, and what the escrow owes. */
  wealth(account: Address): Promise<bigint>;
  /** What the escrow holds and owes nobody: deposits of challenges that were lost. */
  unowed(accounts: readonly Address[]): Promise<bigint>;
  /** What is wrong with the books once all is over; nothing when nothing is. */
  check(entry: Entry): Promise<string[]>;
}

export interface Entry {
  readonly jobs: readonly Job[];
  readonly accounts: readonly Address[];
  readonly honest: readonly Address[];
  /** Honest ones that were made to miss a step, and lost the stake of their job by it. */
  readonly late?: readonly Address[];
  readonly before: ReadonlyMap<Address, bigint>;
  readonly sinceBlock: number;
  /** `unowed` before; 0 when absent. */
  readonly unowed?: bigint;
}

export function openBooks(chain: JsonRpcProvider, { contracts }: NetworkConfig): Books {
  const escrow = new Contract(contracts.escrow, artifactOf("JobEscrow").abi, chain);
  const registry = new Contract(contracts.registry, artifactOf("ProviderRegistry").abi, chain);
  const owed = (account: Address): Promise<bigint> => escrow.getFunction("owed")(account, ZERO_ADDRESS);
  const staked = async (account: Address): Promise<{ whole: bigint; locked: bigint }> => {
    const { stake, lockedStake } = await registry.getFunction("offerOf")(account);
    const [leaving] = await registry.getFunction("leaving")(account);
    return { whole: stake + leaving, locked: lockedStake };
  };
  const sum = async (accounts: readonly Address[], of: (account: Address) => Promise<bigint>) =>
    (await Promise.all(accounts.map(of))).reduce((total, one) => total + one, 0n);
  const wealth = async (account: Address) =>
    (await chain.getBalance(account)) + (await owed(account)) + (await staked(account)).whole;

  const idle = async (accounts: readonly Address[]) =>
    (await chain.getBalance(contracts.escrow)) - (await sum(accounts, owed));

  return {
    wealth,
    unowed: idle,
    async check({ jobs, accounts, honest, late = [], before, sinceBlock, unowed = 0n }) {
      const wrong = jobs
        .filter(({ state }) => !isFinal(state))
        .map(({ id, state }) => `job ${id} is ${state}`);
      const lost = jobs.filter(({ state, challenged }) => state === "Settled" && challenged);
      const deposits = lost.reduce(
        (total, { terms }) => total + challengeBondOf(terms) - appealBondOf(terms),
        unowed,
      );
      const held = await idle(accounts);
      if (held !== deposits)
        wrong.push(`the escrow holds ${held} that it owes nobody; lost deposits are ${deposits}`);
      const kept = await chain.getBalance(contracts.registry);
      const stakes = await sum(accounts, async (account) => (await staked(account)).whole);
      const burnt: bigint = await registry.getFunction("burnt")();
      if (kept !== stakes + burnt)
        wrong.push(`the registry holds ${kept}, stakes are ${stakes}, burnt ${burnt}`);
      const locked = await sum(accounts, async (account) => (await staked(account)).locked);
      if (locked !== 0n) wrong.push(`${locked} of stakes are still locked`);
      for (const log of await registry.queryFilter(registry.filters.Slashed!(), sinceBlock)) {
        const { account } = registry.interface.parseLog(log)!.args;
        const isOne = (one: Address) => sameAddress(one, account);
        if (honest.some(isOne) && !late.some(isOne))
          wrong.push(`honest ${account} was slashed in block ${log.blockNumber}`);
      }
      const wanted = new Map<string, bigint>();
      for (const job of jobs.filter(({ state }) => isFinal(state))) add(wanted, job);
      const gas = await gasOf(chain, sinceBlock);
      for (const account of honest) {
        const key = account.toLowerCase();
        const gained = (await wealth(account)) - before.get(account)! + (gas.get(key) ?? 0n);
        if (gained !== (wanted.get(key) ?? 0n))
          wrong.push(`honest ${account} gained ${gained} and its jobs give it ${wanted.get(key) ?? 0n}`);
      }
      return wrong;
    },
  };
}

/** Adds what the rules say that each party gets by a job. */
function add(sums: Map<string, bigint>, job: Job): void {
  const { requester, provider } = job.terms;
  for (const [who, amount] of moneyOf<string>(job.terms, endingOf(job)).delta) {
    const account = who === "requester" ? requester : who === "provider" ? provider : who;
    const key = account.toLowerCase();
    sums.set(key, (sums.get(key) ?? 0n) + amount);
  }
}

export function endingOf(job: Job): Ending<string> {
  const { state, cause, round, verdict, challenged, appealed, appointed: named } = job;
  const ended = state === "Cancelled" ? "cancelled" : state === "Settled" ? "settled" : cause!;
  const last = job.validations.filter((seat) => seat.round === round);
  // A provider that hid without any reveal kept back its seed: its panel was never complete, and is paid.
  const drawless = cause === "hid" && !last.some(({ measurement }) => measurement);
  const seats = job.validations.map((seat): Seat<string> => {
    const end = endOf(job, seat, drawless && seat.round === round);
    return { who: seat.validator.toLowerCase(), round: seat.round, end };
  });
  const { paid } = job;
  return {
    state: ended,
    round,
    passed: verdict === "pass",
    seats,
    challenged,
    appealed,
    named,
    ...(paid ? { paid } : {}),
  };
}

function endOf(job: Job, seat: Validation, drawless: boolean): Seat<string>["end"] {
  if (seat.abstained || seat.commitment === undefined) return "left";
  if (seat.measurement === undefined) return drawless ? "unheard" : "hid";
  if (job.providerMeasurement === undefined) return "unheard";
  return voteOf(job.terms, seat.measurement, job.providerMeasurement);
}

/** What every account paid for gas from a block on, wei. */
async function gasOf(chain: JsonRpcProvider, sinceBlock: number): Promise<Map<string, bigint>> {
  const paid = new Map<string, bigint>();
  const newest = await chain.getBlockNumber();
  for (let number = sinceBlock; number <= newest; number += 1) {
    const block = await chain.getBlock(number);
    for (const hash of block?.transactions ?? []) {
      const receipt = await chain.getTransactionReceipt(hash);
      if (receipt === null) continue;
      const key = receipt.from.toLowerCase();
      paid.set(key, (paid.get(key) ?? 0n) + receipt.gasUsed * receipt.gasPrice);
    }
  }
  return paid;
}
