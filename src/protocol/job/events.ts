import type { Address, Hex, JobId } from "../ids.ts";
import type { Measurement } from "./measurement.ts";
import type { Verdict } from "./state.ts";
import type { Terms } from "./terms.ts";

/** Why the escrow refunded a job; the order is `IJob.Cause`'s. */
export const causes = [
  "released",
  "runMissed",
  "claimMissed",
  "rejected",
  "hid",
  "inconclusive",
  "unmet",
  "stopped",
] as const;
export type Cause = (typeof causes)[number];

/** An event of the escrow about one job, decoded and bounded; deadlines in Unix seconds. */
export type JobEvent =
  | { kind: "posted"; id: JobId; terms: Terms; seedTip: Hex; sealed: Hex; block: number }
  | { kind: "accepted"; deadline: number }
  | { kind: "cancelled" }
  | { kind: "released"; reason: string; sealedLog: Hex }
  | { kind: "stopped"; paid: bigint }
  | {
      kind: "submitted";
      resultRoot: Hex;
      measurementCommitment: Hex;
      keyCommitment: Hex;
      seedTip: Hex;
      deadline: number;
      sealed: Hex;
    }
  | { kind: "appointed"; validator: Address; drawn: boolean; deadline: number; sealed: Hex }
  | { kind: "handedOver"; validator: Address; sender: Address; sealed: Hex }
  | { kind: "drawScheduled"; seats: number; deadline: number }
  | { kind: "seedRevealed"; deadline: number }
  | { kind: "drawn"; pending: number; deadline: number }
  | { kind: "committed"; validator: Address; commitment: Hex; pending: number; deadline: number }
  | { kind: "abstained"; validator: Address; reason: string; pending: number; deadline: number }
  | { kind: "dismissed"; validator: Address; pending: number; deadline: number }
  | { kind: "revealed"; author: Address; measurement: Measurement }
  | { kind: "judged"; verdict: Verdict; deadline: number }
  | { kind: "claimed"; blindedKey: Hex; deadline: number }
  | { kind: "challenged" }
  | { kind: "appealed" }
  | { kind: "settled" }
  | { kind: "refunded"; cause: Cause }
  | { kind: "rated"; rater: Address; subject: Address; score: number };
