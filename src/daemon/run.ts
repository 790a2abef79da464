import { statfs } from "node:fs/promises";
import type { Abortable } from "../async/abort.ts";
import type { DaemonContext } from "../compose.ts";
import type { AppContext } from "../context.ts";
import type { DaemonView } from "../control/control.ts";
import { type DaemonKind, type DaemonStatus, MAX_EARNINGS } from "../control/messages.ts";
import type { JobRole } from "../ports/journal.ts";
import { COIN, coinText } from "../protocol/amounts.ts";
import type { JobId } from "../protocol/ids.ts";
import { gasOf, providerGas } from "../protocol/policy/quote.ts";
import { strangeSymbol } from "../protocol/token.ts";
import type { RoleContext } from "../roles/context.ts";
import { earningsOf, jobsWorkedOn, paidByToken } from "../roles/daemon/earnings.ts";

/** Below this much free disk, bytes, the journal and a job's parcels may soon not fit. */
const LITTLE_DISK = 2 ** 30;

/**
 * Runs a daemon until `run` resolves, its owner ends it (`ichain stop`, or a drain that is over), or the signal aborts.
 * @throws HOME_BUSY, LOG_UNWRITABLE, and what `run` throws when its owner did not end it
 */
export async function asDaemon(
  context: AppContext,
  kind: DaemonKind,
  run: (daemon: DaemonContext) => Promise<void>,
): Promise<void> {
  const { openDaemon } = await import("../compose.ts");
  await using daemon = await openDaemon(context, kind);
  const { logger, control } = daemon;
  try {
    await run(daemon);
    logger.info("The daemon has ended its jobs and stops");
  } catch (error) {
    if (!daemon.signal.aborted) {
      logger.error("The daemon ended", { error });
      throw error;
    }
    logger.info("The daemon was stopped");
    if (!control.isEndedByOwner) throw error;
  }
}

/** What `ichain status` shows of a daemon that works. */
export function viewOf(
  role: RoleContext,
  {
    home,
    roles,
    reload,
  }: {
    readonly home: string;
    readonly roles: readonly JobRole[];
    readonly reload: DaemonView["reload"];
  },
): DaemonView {
  return {
    account: role.account,
    roles,
    unfinished: () =>
      roles
        .flatMap((one) => role.journal.undertakings({ role: one, unfinished: true }))
        .map(({ role: one, key, openedAt }) => ({
          role: one as JobRole,
          jobId: key as JobId,
          since: Math.floor(openedAt / 1000),
        }))
        .toSorted((a, b) => a.since - b.since),
    health: async (options) => [...(await examineChain(role, roles, options)), await examineDisk(home)],
    earnings: (options) => sumEarnings(role, options),
    reload,
  };
}

async function sumEarnings(
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

/** Whether the chain answers, and whether the account can pay for the calls of one more job. */
async function examineChain(
  { market, account }: RoleContext,
  roles: readonly JobRole[],
  options: Abortable,
): Promise<DaemonStatus["health"]> {
  try {
    const [balance, price] = await Promise.all([market.balance(account, options), market.gasPrice(options)]);
    const { accept, submit, claim } = providerGas;
    const gas = roles.includes("requester")
      ? gasOf({ validators: 1, permit: false })
      : accept + submit + claim;
    const needed = price * BigInt(gas);
    return [
      { name: "chain", ok: true, found: "answers" },
      {
        name: "funds",
        ok: balance >= needed,
        found: `${coinText(balance)} ${COIN.symbol}; a job's gas comes to ${coinText(needed)} now`,
      },
    ];
  } catch (error) {
    return [{ name: "chain", ok: false, found: error instanceof Error ? error.message : String(error) }];
  }
}

async function examineDisk(home: string): Promise<DaemonStatus["health"][number]> {
  const free = await freeDisk(home);
  return { name: "disk", ok: free >= LITTLE_DISK, found: `${(free / 2 ** 30).toFixed(1)} GiB free` };
}

/** Free bytes on the disk of `folder`. */
export async function freeDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.min(bavail * bsize, Number.MAX_SAFE_INTEGER);
}
