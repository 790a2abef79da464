import type { Hex } from "../../../protocol/ids.ts";

/** Name of the update in the parcel that a provider hosts. */
export const UPDATE_FILE = "update.bin";
/** Name of the exact model in the parcel that the requester hosts. */
export const EXACT_FILE = "exact.safetensors";
/** A provider's host has no token of its own: the requester's alone, which follows from their channel. */
export const HOST_TOKEN = `0x${"00".repeat(16)}` as Hex;
/** For each round of a job: notices that a lead's host takes of one party, after crashes too. */
export const ROUND_NOTICES = 8;
