import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { Parcels } from "../../../ports/parcels.ts";
import type { Blob } from "../../../ports/transport.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { MAX_FILES } from "../../../protocol/limits.ts";
import { heldUntil, type KeptPart } from "../../../protocol/parcel/kept.ts";
import type { Endpoint } from "../../../protocol/parcel/locator.ts";
import type { Policy } from "../../../protocol/policy/policy.ts";
import type { RoleContext } from "../../context.ts";
import { QUIET_MS } from "../await-host.ts";
import { fetchBlob } from "../fetch-blob.ts";
import { type HeldParcels, heldParcels } from "./held-parcels.ts";

/** An input that is a parcel of its own, on this machine. */
export interface KeptInput {
  readonly part: KeptPart;
  readonly blob: Blob;
}

/** What this machine holds for requesters, as provider or validator. */
function heldFor({ jobsDir }: Pick<RoleContext, "jobsDir">): HeldParcels {
  return heldParcels(join(jobsDir, "kept"));
}

/** One requester must not find out what is held for another, nor replace it. */
const nameOf = (requester: Address, root: Hex) => `${requester.toLowerCase()}-${root}`;

export interface KeptRequest {
  readonly parts: readonly KeptPart[];
  readonly requester: Address;
  /** Fingerprint of the bundle's author, whose parcels the parts must be. */
  readonly author: Hex;
  /** Of the bundle: its host serves the parts too. */
  readonly endpoint: Endpoint;
  /** The job's folder; the parcels are below it. */
  readonly dir: string;
  /** Folder with the unpacked bundle. */
  readonly input: string;
  /** For all parts together. */
  readonly maxBytes: number;
}

/**
 * Unpacks the kept inputs beside the bundle's files: from the parcels that are held here where they open, else fetched
 * from the bundle's host.
 * @throws PARCEL_TOO_LARGE, KEPT_MISMATCH, the codes of a fetch and of `Parcels.open`
 */
export async function openKept(
  context: Pick<RoleContext, "jobsDir" | "parcels" | "transport" | "reporter">,
  request: KeptRequest,
  options: Abortable,
): Promise<KeptInput[]> {
  const { parts, requester, author, endpoint, dir, input, maxBytes } = request;
  if (parts.reduce((sum, { bytes }) => sum + bytes, 0) > maxBytes)
    throw new IchainError("PARCEL_TOO_LARGE", "The job's kept inputs are larger than is allowed here.");
  const held = heldFor(context);
  const found: KeptInput[] = [];
  for (const part of parts) {
    const name = nameOf(requester, part.root);
    const path = join(dir, `kept-${part.root}.parcel`);
    const unpack = async (blob: Blob): Promise<KeptInput> => {
      if (blob.size !== part.bytes) throw keptMismatch("one is not as long as the job says");
      await unpackKept(context.parcels, { part, blob }, { author, input }, options);
      return { part, blob };
    };
    const here = await held.take(name, path);
    const opened = here && (await unpack(here.blob).catch(dropSpoilt));
    if (opened)
      context.reporter.emit({ kind: "info", text: `${part.bytes} bytes of its inputs are here already` });
    found.push(opened ?? (await unpack(await fetched(path, part))));

    async function dropSpoilt(error: unknown): Promise<undefined> {
      if (!isIchainError(error) || error.class !== "untrusted") throw error;
      await held.drop(name);
      await rm(path, { force: true });
    }
  }
  return found;

  function fetched(path: string, { root, bytes: size }: KeptPart): Promise<Blob> {
    const wanted = { endpoint, root, path, maxBytes: size, size, quietMs: QUIET_MS };
    return fetchBlob(context, "kept input", wanted, options);
  }
}

/**
 * Unpacks one kept input into a folder that has other files.
 * @throws KEPT_MISMATCH where a file of that path is there
 */
export async function unpackKept(
  parcels: Parcels,
  { part, blob }: KeptInput,
  { author, input }: { author?: Hex; input: string },
  options: Abortable,
): Promise<void> {
  const into = `${input}.kept`;
  await rm(into, { recursive: true, force: true });
  const limits = { maxBytes: Number.MAX_SAFE_INTEGER, maxFiles: MAX_FILES };
  try {
    await parcels.open({ blob, sessionKey: part.key, into, author, limits }, options);
    await mkdir(input, { recursive: true, mode: 0o700 });
    await merge(into, input);
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

/**
 * Holds a job's kept inputs for its requester's next job, within the policy. Called once the job is accepted: others must
 * not be able to fill the place for nothing. Never fails: without them the next job only fetches more.
 */
export async function holdKept(
  context: Pick<RoleContext, "jobsDir" | "reporter">,
  { terms: { requester } }: Pick<Job, "terms">,
  kept: readonly KeptInput[] = [],
  { keep: rule }: Pick<Policy, "keep">,
): Promise<void> {
  if (kept.length === 0) return;
  const held = heldFor(context);
  try {
    for (const { part, blob } of kept.filter(({ blob: { size } }) => size <= rule.maxBytes)) {
      const until = heldUntil(Math.floor(Date.now() / 1000), part, rule);
      await held.hold(nameOf(requester, part.root), blob, until);
    }
    await held.trim(rule.maxBytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    context.reporter.emit({ kind: "warn", text: `A kept input is not held for the next job: ${why}` });
  }
}

/** Removes what is held over its time or beyond the policy. */
export function trimKept(
  context: Pick<RoleContext, "jobsDir">,
  { keep: { maxBytes } }: Pick<Policy, "keep">,
): Promise<void> {
  return heldFor(context).trim(maxBytes);
}

async function merge(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    const there = await lstat(target).catch(() => undefined);
    if (there === undefined) await rename(source, target);
    else if (entry.isDirectory() && there.isDirectory()) await merge(source, target);
    else throw keptMismatch("two of them have the same path");
  }
}

function keptMismatch(why: string): IchainError {
  return new IchainError("KEPT_MISMATCH", `The job's kept inputs are not what its spec says: ${why}.`);
}
