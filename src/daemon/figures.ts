import type { Abortable } from "../async/abort.ts";
import type { Figures } from "../control/control.ts";
import { type DaemonStatus, MAX_EARNINGS } from "../control/messages.ts";
import type { JobRole, Journal, Role } from "../ports/journal.ts";
import { COIN } from "../protocol/amounts.ts";
import { strangeSymbol } from "../protocol/token.ts";
import type { RoleContext } from "../roles/context.ts";
import { earningsOf, gasOfRecord, jobsWorkedOn, paidByToken } from "../roles/daemon/earnings.ts";

/** The step with which a role takes a job on; before it a job only waits. */
const begins: Readonly<Record<JobRole, string>> = {
  requester: "post",
  provider: "accept",
  validator: "commit",
};

/** What the account was paid for its work in all, by token. */
export async function sumEarnings(
  { market, account }: RoleContext,
  options: Abortable,
): Promise<DaemonStatus["earnings"]> {
  const sums = paidByToken(earningsOf(await jobsWorkedOn(market, account, options), account, undefined));
  return Promise.all(
    [...sums].slice(0, MAX_EARNINGS).map(async ([address, amount]) => {
      const token = await market.token(address, options);
      // A stranger chose the symbol.
      const symbol = token === COIN ? token.symbol : strangeSymbol(token.symbol, address);
      return { token: { ...token, symbol }, amount: String(amount) };
    }),
  );
}

/** Reads the numbers of a daemon beside its status: of its jobs, by the index of the chain, and of its account's coin. */
export function figureReader(
  role: RoleContext,
  roles: readonly JobRole[],
): (options: Abortable) => Promise<Figures> {
  const gas = gasMeter(role.journal, [...roles, "account"]);
  return async (options) => ({ ...(await readFigures(role, roles, options)), gas: gas() });
}

async function readFigures(
  { market, account, journal }: RoleContext,
  roles: readonly JobRole[],
  options: Abortable,
): Promise<Omit<Figures, "gas">> {
  const [lists, balance, offer] = await Promise.all([
    Promise.all(roles.map((role) => market.jobs({ [role]: account }, options))),
    market.balance(account, options),
    market.offer(account, options),
  ]);
  const earnings = earningsOf(lists.flat(), account, undefined);
  const jobs = roles.flatMap((role, at) =>
    [...Map.groupBy(lists[at] ?? [], ({ state }) => state)].map(([state, { length: count }]) => ({
      ...{ role, state, count },
    })),
  );
  return {
    jobs,
    waiting: roles.map((role) => ({ role, count: countWaiting(journal, role) })),
    balance,
    stake: offer?.stake ?? 0n,
    lockedStake: offer?.lockedStake ?? 0n,
    slashed: earnings.reduce((sum, { slashed }) => sum + slashed, 0n),
  };
}

/** Sums the gas of these roles' records; what is finished is read once. */
function gasMeter(journal: Journal, roles: readonly Role[]): () => bigint {
  const known = new Map<string, bigint>();
  return () => {
    let sum = 0n;
    for (const { role, key, finished } of roles.flatMap((one) => journal.undertakings({ role: one }))) {
      const name = `${role} ${key}`;
      const gas = known.get(name) ?? gasOfRecord(journal, role, key);
      if (finished !== undefined) known.set(name, gas);
      sum += gas;
    }
    return sum;
  };
}

function countWaiting(journal: Journal, role: JobRole): number {
  const open = journal.undertakings({ role, unfinished: true });
  return open.filter(({ key }) => journal.open(role, key).intent(begins[role]) === undefined).length;
}
