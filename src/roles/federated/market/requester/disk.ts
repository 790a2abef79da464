import { readdir, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { IchainError } from "../../../../errors/error.ts";
import type { FederatedJobFile } from "../../../../protocol/federated/market/file.ts";
import type { LeadFiles } from "./files.ts";

/** How many rounds' models stay; `all`: without end. */
type Keep = FederatedJobFile["federated"]["keep"];

/**
 * Removes what no later round needs once `round` is closed: the states of its server's step, and of the models all but
 * the last `keep`.
 */
export async function forgetRounds({ rounds }: LeadFiles, round: number, keep: Keep): Promise<void> {
  const oldest = keep === "all" ? 1 : round + 2 - keep;
  for (const name of await readdir(rounds)) {
    const [, kind, number] = /^(model|state|scores)-(\d+)[-.].*vector$/.exec(name) ?? [];
    if (kind === undefined || Number(number) >= (kind === "model" ? oldest : round + 1)) continue;
    await rm(join(rounds, name), { force: true });
  }
}

/** States of the server's step that a round may have. */
const STATES = 2;

/** Bytes that a job takes on its requester's disk at most, beside its parts: models, updates and what measures them. */
export function leadDiskOf(
  { federated: { rounds, keep, providers } }: Pick<FederatedJobFile, "federated">,
  parameters: number,
): number {
  const exact = 8 * parameters;
  const models = 1 + Math.min(rounds, keep === "all" ? rounds : keep);
  // Two rounds' parcels and states, a model that is tried, each update packed and opened, F32 of all that is measured.
  const working =
    exact * (2 + 2 * STATES + 1 + STATES) + providers * (3 * parameters) + (providers + 1) * 4 * parameters;
  return exact * models + working;
}

/** @throws DISK_TOO_FULL when the disk of `folder` has no room for `bytes` */
export async function requireLeadRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  throw new IchainError("DISK_TOO_FULL", "There is no room on the disk for the models of the rounds.", {
    hint: "Free some space, or have fewer of them stay: federated.keep in job.yaml.",
  });
}
