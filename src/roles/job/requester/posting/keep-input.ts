import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { keccak256, toUtf8Bytes } from "ethers";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { JobFile } from "../../../../protocol/task/spec.ts";
import type { RoleContext } from "../../../context.ts";
import { heldParcels } from "../../../task/kept/held-parcels.ts";
import type { KeptInput } from "../../../task/kept/kept-inputs.ts";

/**
 * The parcel of an input that is kept: the one that was packed for an earlier job with the same content, or a new one.
 * The same parcel has the same root, by which a provider finds it again.
 * @throws PARCEL_INPUT_CHANGED, the codes of `Parcels.pack`
 */
export async function keepInput(
  { parcels, keyring, jobsDir }: Pick<RoleContext, "parcels" | "keyring" | "jobsDir">,
  { path, keep }: NonNullable<JobFile["kept"]>[number],
  { folder, out }: { folder: string; out: string },
  options: Abortable,
): Promise<KeptInput> {
  const own = heldParcels(join(jobsDir, "kept-own"));
  await own.trim(Number.MAX_SAFE_INTEGER);
  const digest = await parcels.digest(folder, [path], options);
  // A parcel carries which files are programs, and its author's signature; the digest says nothing of either.
  const executable = await executables(join(folder, path));
  const author = keyring.publicKeys.fingerprint;
  const name = keccak256(toUtf8Bytes(JSON.stringify({ digest, executable, author })));
  const held = await own.take(name, out);
  const until = Math.floor(Date.now() / 1000) + keep;
  // One that was damaged on the disk is packed again, under another root.
  if (held?.key !== undefined && (await parcels.isWhole(held.blob, options))) {
    const { blob, key } = held;
    await own.hold(name, blob, until, key);
    return { part: { root: blob.root, key, bytes: blob.size, keep }, blob };
  }
  const packed = await parcels.pack({ root: folder, paths: [path], out }, options);
  if (packed.digest !== digest)
    throw new IchainError("PARCEL_INPUT_CHANGED", `The input ${path} changed while it was packed.`);
  const { blob, sessionKey: key } = packed;
  await own.hold(name, blob, until, key);
  return { part: { root: blob.root, key, bytes: blob.size, keep }, blob };
}

/** Paths of the programs below `path`, itself as the empty one. */
async function executables(path: string): Promise<string[]> {
  const isProgram = async (one: string) => ((await stat(join(path, one))).mode & 0o111) !== 0;
  if (!(await stat(path)).isDirectory()) return (await isProgram("")) ? [""] : [];
  const found: string[] = [];
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const one = join(entry.parentPath, entry.name).slice(path.length + 1);
    if (entry.isFile() && (await isProgram(one))) found.push(one);
  }
  return found.toSorted();
}
