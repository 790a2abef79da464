import type { Address } from "../../../src/protocol/ids.ts";
import { gasPaid, type TestMarket } from "./market.ts";

export type Wealth = ReadonlyMap<Address, bigint>;

/** Balance, stake and what is owed of each actor, and what it has ever paid for gas; all at one block. */
export async function wealthOf(market: TestMarket): Promise<Wealth> {
  for (;;) {
    const block = await market.chain.getBlockNumber();
    const found = await look(market);
    if ((await market.chain.getBlockNumber()) === block) return found;
  }
}

/** By how much one is richer, gas left aside, and all together. */
export function gains(before: Wealth, now: Wealth) {
  const change = (account: Address) => now.get(account)! - before.get(account)!;
  return { change, all: [...now.keys()].reduce((sum, account) => sum + change(account), 0n) };
}

async function look(market: TestMarket): Promise<Wealth> {
  const transactions = await market.transactions();
  const homes = [market.requester, ...market.providers, ...market.validators];
  const rich = async ({ account }: { account: Address }) => {
    const [balance, stake, owed] = await Promise.all([
      market.chain.getBalance(account),
      market.stake(account),
      market.owed(account),
    ]);
    return [account, balance + stake + owed + gasPaid(transactions, account)] as const;
  };
  return new Map(await Promise.all(homes.map(rich)));
}
