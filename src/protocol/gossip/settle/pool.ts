import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { payLeaf, proofOf, treeRoot } from "../../federated/ledger/tree.ts";
import type { Closing } from "../../federated/market/closing.ts";
import type { Shares } from "../../federated/pay/shares.ts";
import type { Address, Hex, JobId } from "../../ids.ts";
import { canonicalJson } from "../../task/spec.ts";
import { digestField } from "../records/encoding.ts";
import type { ConfirmedModel } from "./counted.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;
const account = z
  .string()
  .regex(/^0x[0-9a-f]{40}$/)
  .transform((text) => text as Address);

/** What peers agree to when they enlist; its hash is in the terms of the pool's job. */
const poolSpecSchema = z.strictObject({
  version: z.literal(1),
  /** The network whose chains count. */
  genesis: digestField,
  /** Seconds; see `planTrials`. */
  span: z
    .number()
    .int()
    .min(1)
    .max(999_999 * 86_400),
});
export type PoolSpec = z.output<typeof poolSpecSchema>;

/** What peers are given to enlist with: the pool's job, what it is, and the requester's admission of each. */
export const poolTicketSchema = z.strictObject({
  job: digestField.transform((text) => text as string as JobId),
  spec: poolSpecSchema,
  admissions: z.record(
    account,
    z
      .string()
      .regex(/^0x[0-9a-f]{130}$/)
      .transform((text) => text as Hex),
  ),
});
export type PoolTicket = z.output<typeof poolTicketSchema>;

export function poolSpecHash(spec: PoolSpec): Hex {
  return keccak256(toUtf8Bytes(canonicalJson({ gossip: "pool", ...spec }))) as Hex;
}

/** What each account gets of a pool, ascending: members by their shares, the requester what they leave. */
export type PoolPay = readonly (readonly [account: Address, amount: bigint])[];

export function poolPayOf(
  { shares, rest, refunded }: Shares,
  { pool, members, requester }: { pool: bigint; members: readonly Address[]; requester: Address },
): PoolPay {
  const left = refunded ? pool : rest;
  const all = [
    ...members.map((member, at) => [member, shares[at]!] as const),
    [requester.toLowerCase() as Address, left] as const,
  ];
  return all.filter(([, amount]) => amount > 0n).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Closes the pool's only round: what counted, what was measured of it, and what each account gets. */
export function poolClosing(pay: PoolPay, counted: readonly ConfirmedModel[], measured: string): Closing {
  return {
    round: 1,
    updatesRoot: treeRoot(counted.map(({ transaction }) => transaction)),
    modelDigest: keccak256(toUtf8Bytes(measured)) as Hex,
    modelRoot: NOTHING,
    payRoot: treeRoot(leavesOf(pay)),
    blindedKey: NOTHING,
    ledgerTip: NOTHING,
  };
}

/** All accounts' pay with its proofs, for one claim. */
export function payoutsOf(pay: PoolPay) {
  const leaves = leavesOf(pay);
  return pay.map(([one, earned], at) => ({ account: one, earned, proof: proofOf(leaves, at) }));
}

function leavesOf(pay: PoolPay): Hex[] {
  return pay.map(([one, amount]) => payLeaf(one, amount));
}
