import { ZERO_ADDRESS } from "../ids.ts";
import { appealBondOf } from "../job/bond.ts";
import type { Mode } from "../job/state.ts";
import type { JobFile, Spec } from "../task/spec.ts";
import { type ChainFacts, type Money, refuseMoney, stakesOf } from "./money.ts";
import { type Policy, policySchema } from "./policy.ts";
import type { Refusal } from "./refusal.ts";
import { refuseLimits } from "./resources.ts";
import { type AllWindows, leastTurn, refuseWindows, windowBounds, windowsOf } from "./windows.ts";

/** What a job is posted with, known before anything is packed. */
export interface Outline extends Money {
  readonly mode: Mode;
  readonly windows: AllWindows;
}

/** What requesters hold their own jobs against: a provider with a policy of its own may be stricter. */
const usual: Policy = policySchema.parse({});

/** Windows as job.yaml says, or as its task, the chain and the usual policy want them. */
export function postedWindows(
  file: JobFile,
  { pace }: Pick<ChainFacts, "pace">,
  bundleBytes = 0,
): AllWindows {
  return windowsOf(file, usual, pace, bundleBytes);
}

/** job.yaml's price, or the provider's floor: no less than what an appeal puts at stake. */
export function priceOf(file: Pick<JobFile, "price">, floor: bigint, validatorFee: bigint): bigint {
  const bond = appealBondOf({ validatorFee });
  return file.price ?? (floor > bond ? floor : bond);
}

/** The whole of it; `floor` is the provider's for the run window. */
export function outlineOf(
  file: JobFile,
  { floor, validatorFee, validators }: { floor: bigint; validatorFee: bigint; validators: number },
  chain: Pick<ChainFacts, "pace" | "poolStake">,
): Outline {
  const price = priceOf(file, floor, validatorFee);
  return {
    token: ZERO_ADDRESS,
    price,
    validatorFee,
    validators,
    ...stakesOf({ price, validatorFee, validators }, chain.poolStake),
    mode: file.verification.mode,
    windows: postedWindows(file, chain),
  };
}

/** Why a careful provider or validator would leave this job alone; the requester looks before it posts. */
export function refuseOutline(
  { windows, mode, ...money }: Outline,
  chain: ChainFacts,
  task: Pick<Spec, "resources" | "command">,
  bundleBytes = 0,
): Refusal | undefined {
  return (
    refuseLimits(task) ??
    refuseOwnWindows(windows, mode, chain, { ...task.resources, bundleBytes }) ??
    refuseMoney(money, usual, chain)
  );
}

export function refuseOwnWindows(
  windows: AllWindows,
  mode: Mode,
  { pace }: Pick<ChainFacts, "pace">,
  { time, disk, bundleBytes = 0 }: { time: number; disk: number; bundleBytes?: number },
): Refusal | undefined {
  // How long a task may run is for each provider to say.
  const rule = { ...usual, maxTime: Math.max(usual.maxTime, time) };
  const bounds = windowBounds(rule, pace, mode, { time, fetchBytes: bundleBytes + disk });
  // Who misses `accept` loses nothing, but a job that nobody can accept in time is posted in vain.
  return refuseWindows(windows, { ...bounds, accept: { ...bounds.accept, least: leastTurn(pace) } });
}
