import { statfs } from "node:fs/promises";
import type { Abortable } from "../async/abort.ts";
import type { Health } from "../control/messages.ts";
import type { JobRole } from "../ports/journal.ts";
import { COIN, coinText } from "../protocol/amounts.ts";
import { sameAddress } from "../protocol/ids.ts";
import { gasOf, providerGas } from "../protocol/policy/quote.ts";
import type { RoleContext } from "../roles/context.ts";
import type { DiskBudget } from "../roles/task/kept/disk-budget.ts";

/** Below this much free disk, bytes, the journal and a job's parcels may soon not fit. */
const LITTLE_DISK = 2 ** 30;
/** A difference between this machine's clock and the chain's that an owner should know of, seconds. */
const SKEW_SECONDS = 120;

export interface HealthRequest {
  readonly roles: readonly JobRole[];
  readonly home: string;
  readonly disk: DiskBudget | undefined;
  /** Of a development chain the time is moved at will. */
  readonly development: boolean;
}

/** What a daemon leans on, each part examined by itself; none of them throws. */
export async function examineHealth(
  role: RoleContext,
  { roles, home, disk, development }: HealthRequest,
  options: Abortable,
): Promise<Health> {
  const parts = await Promise.all([
    examineChain(role, { roles, development }, options),
    examineDisk(home, disk),
    examineEngine(role, roles, options),
    examineTor(role),
  ]);
  return parts.flat();
}

/** Whether the chain answers, its clock is ours, and the account can pay for the calls of one more job. */
async function examineChain(
  { market, account }: RoleContext,
  { roles, development }: Pick<HealthRequest, "roles" | "development">,
  options: Abortable,
): Promise<Health> {
  try {
    const [balance, { owner, payee }, price, now] = await Promise.all([
      market.balance(account, options),
      market.ownership(account, options),
      market.gasPrice(options),
      market.now(options),
    ]);
    const { accept, submit, claim } = providerGas;
    const gas = roles.includes("requester")
      ? gasOf({ validators: 1, permit: false })
      : accept + submit + claim;
    const needed = price * BigInt(gas);
    // Pay goes elsewhere then, so that the account's own coin only shrinks.
    const elsewhere = sameAddress(payee, account) ? "" : `; paid to ${payee}, owned by ${owner}`;
    return [
      { name: "chain", ok: true, found: "answers" },
      {
        name: "funds",
        ok: balance >= needed,
        found: `${coinText(balance)} ${COIN.symbol}; a job's gas comes to ${coinText(needed)} now${elsewhere}`,
      },
      ...(development ? [] : [examineClock(now)]),
    ];
  } catch (error) {
    return [{ name: "chain", ok: false, found: textOf(error) }];
  }
}

function examineClock(chainTime: number): Health[number] {
  const seconds = Math.round(Date.now() / 1000 - chainTime);
  const way = seconds > 0 ? "ahead of" : "behind";
  const ok = Math.abs(seconds) < SKEW_SECONDS;
  return { name: "clock", ok, found: `${Math.abs(seconds)} s ${way} the chain's` };
}

/** Whether the disk has room, and the home what its owner allows. */
export async function examineDisk(home: string, budget: DiskBudget | undefined): Promise<Health> {
  const free = await freeDisk(home);
  const found = `${sizeText(free)} free`;
  if (budget === undefined) return [{ name: "disk", ok: free >= LITTLE_DISK, found }];
  const held = await budget.held();
  const holds = `the home holds ${sizeText(held)} of ${sizeText(budget.limit)} (disk.limit)`;
  const ok = free >= LITTLE_DISK && held <= budget.limit;
  return [{ name: "disk", ok, found: `${found}; ${holds}` }];
}

function sizeText(bytes: number): string {
  return bytes < 2 ** 30 ? `${Math.ceil(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** A requester's sandbox is of use only where it evaluates results, which may never come. */
export async function examineEngine(
  { sandbox }: Pick<RoleContext, "sandbox">,
  roles: readonly JobRole[],
  options: Abortable,
): Promise<Health> {
  if (sandbox === undefined || roles.includes("requester")) return [];
  return sandbox.ping(options).then(
    () => [{ name: "engine", ok: true, found: "answers" }],
    (error: unknown) => [{ name: "engine", ok: false, found: textOf(error) }],
  );
}

export function examineTor({ transport }: Pick<RoleContext, "transport">): Health {
  const up = transport.isUp?.();
  if (up === undefined) return [];
  return [{ name: "tor", ok: up, found: up ? "has reached its network" : "is being started again" }];
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}

/** Free bytes on the disk of `folder`. */
export async function freeDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.min(bavail * bsize, Number.MAX_SAFE_INTEGER);
}
