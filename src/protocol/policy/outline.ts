import { appealBondOf } from "../job/bond.ts";
import type { Mode } from "../job/state.ts";
import { type Terms, WHOLE } from "../job/terms.ts";
import type { JobFile, Spec } from "../task/spec.ts";
import { type ChainFacts, type Money, refuseMoney, refuseShares, stakesOf } from "./money.ts";
import type { Pay } from "./pay.ts";
import { type Policy, policySchema } from "./policy.ts";
import type { Refusal } from "./refusal.ts";
import { refuseLimits } from "./resources.ts";
import { floorPrice, type Tender } from "./tender.ts";
import { type AllWindows, callSeconds, refuseWindows, windowBounds, windowsOf } from "./windows.ts";

/** Money, mode and windows of a job, known before its bundle is packed. */
export interface Outline extends Money, Pick<Terms, "effort" | "stop"> {
  readonly mode: Mode;
  readonly windows: AllWindows;
}

/** The policy that requesters check their own jobs against; a provider's may be stricter. */
const usual: Policy = policySchema.parse({});

/** The windows of job.yaml, or those that the task, the chain and the usual policy need. */
export function postedWindows(
  file: JobFile,
  { pace }: Pick<ChainFacts, "pace">,
  bundleBytes = 0,
): AllWindows {
  return windowsOf(file, usual, pace, bundleBytes);
}

/** The price of job.yaml, or the provider's floor, but at least the bond of an appeal. */
export function priceOf(pay: Pick<Pay, "price">, floor: bigint, validatorFee: bigint): bigint {
  const bond = appealBondOf({ validatorFee });
  return pay.price ?? (floor > bond ? floor : bond);
}

const wholes = (share: number) => Math.round(share * WHOLE);

/** The outline of a job that a provider with this tender is paid for. */
export function outlineOf(
  file: JobFile,
  pay: Pick<Pay, "price">,
  { tender, validatorFee, validators }: { tender: Tender; validatorFee: bigint; validators: number },
  chain: Pick<ChainFacts, "pace" | "poolStake">,
): Outline {
  const windows = postedWindows(file, chain);
  const price = priceOf(pay, floorPrice(tender, windows.run), validatorFee);
  return {
    token: tender.token,
    price,
    validatorFee,
    validators,
    ...stakesOf({ price, validatorFee, validators }, chain.poolStake, tender),
    mode: file.verification.mode,
    effort: wholes(file.effort),
    stop: { floor: wholes(file.stop.floor), cap: wholes(file.stop.cap) },
    windows,
  };
}

/** Why the usual policy with the provider's tender refuses this job; checked by the requester before it posts. */
export function refuseOutline(
  { windows, mode, effort, stop, ...money }: Outline,
  tender: Tender,
  chain: ChainFacts,
  task: Pick<Spec, "resources" | "command">,
  bundleBytes = 0,
): Refusal | undefined {
  return (
    refuseLimits(task) ??
    refuseOwnWindows(windows, mode, chain, { ...task.resources, bundleBytes }) ??
    refuseMoney(money, usual, tender, chain) ??
    refuseShares({ effort, stop }, usual)
  );
}

/** Why the usual policy refuses these windows. */
export function refuseOwnWindows(
  windows: AllWindows,
  mode: Mode,
  { pace }: Pick<ChainFacts, "pace">,
  { time, disk, bundleBytes = 0 }: { time: number; disk: number; bundleBytes?: number },
): Refusal | undefined {
  // Allow any time: each provider limits the time of a task itself.
  const rule = { ...usual, maxTime: Math.max(usual.maxTime, time) };
  const bounds = windowBounds(rule, pace, mode, { time, fetchBytes: bundleBytes + disk });
  // Bound `accept` too: no provider can accept a job in a window that is shorter than one call.
  return refuseWindows(windows, { ...bounds, accept: { ...bounds.accept, least: callSeconds(pace) } });
}
