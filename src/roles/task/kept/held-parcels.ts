import { copyFile, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Blob } from "../../../ports/transport.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { excessOf, type Held, heldSchema } from "../../../protocol/parcel/kept.ts";

/**
 * Encrypted parcels that outlive their jobs, each under a name with a record beside it. Jobs get links: what is removed
 * here stays with the jobs that use it.
 */
export interface HeldParcels {
  /** Links the parcel at `path`; undefined where it is not held any more. Its content is not checked. */
  take(
    name: string,
    path: string,
  ): Promise<{ readonly blob: Blob; readonly key: Hex | undefined } | undefined>;
  /** Holds the parcel under this name until an instant, Unix seconds; again where it is held already. */
  hold(name: string, blob: Blob, until: number, key?: Hex): Promise<void>;
  drop(name: string): Promise<void>;
  /** Removes what is over its time, and the longest unused beyond `maxBytes`. */
  trim(maxBytes: number): Promise<void>;
  /** Removes the longest unused until `bytes` are gone, or all is. */
  free(bytes: number): Promise<void>;
}

/** Those in the folder `dir`. `now` gives Unix seconds by this machine's clock, by which nothing but disk is managed. */
export function heldParcels(
  dir: string,
  now: () => number = () => Math.floor(Date.now() / 1000),
): HeldParcels {
  const fileOf = (name: string) => join(dir, `${name}.parcel`);
  const recordOf = (name: string) => join(dir, `${name}.json`);
  const read = async (name: string): Promise<Held | undefined> => {
    try {
      return heldSchema.parse(JSON.parse(await readFile(recordOf(name), "utf8")));
    } catch {
      return undefined;
    }
  };
  const drop = async (name: string): Promise<void> => {
    await rm(fileOf(name), { force: true });
    await rm(recordOf(name), { force: true });
  };
  const all = async (): Promise<(Held & { name: string })[]> => {
    const names = await readdir(dir).catch(() => []);
    const held: (Held & { name: string })[] = [];
    for (const name of names.filter((one) => one.endsWith(".json")).map((one) => one.slice(0, -5))) {
      const record = await read(name);
      if (record === undefined) await drop(name);
      else held.push({ ...record, name });
    }
    return held;
  };
  return {
    drop,
    async take(name, path) {
      const record = await read(name);
      if (record === undefined || record.until <= now()) return undefined;
      const size = (await stat(fileOf(name)).catch(() => undefined))?.size;
      if (size !== record.bytes) return undefined;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await linkOrCopy(fileOf(name), path);
      return { blob: { path, size: record.bytes, root: record.root }, key: record.key };
    },
    async hold(name, { path, size, root }, until, key) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const record: Held = { root, bytes: size, usedAt: now(), until, ...(key && { key }) };
      // The record first: a parcel without one would never be trimmed.
      await writeFile(`${recordOf(name)}.new`, JSON.stringify(record), { mode: 0o600 });
      await rename(`${recordOf(name)}.new`, recordOf(name));
      await linkOrCopy(path, `${fileOf(name)}.new`);
      await rename(`${fileOf(name)}.new`, fileOf(name));
      await rm(`${fileOf(name)}.new`, { force: true }); // two links to one file: `rename` does nothing
    },
    async trim(maxBytes) {
      for (const { name } of excessOf(await all(), maxBytes, now())) await drop(name);
    },
    async free(bytes) {
      const held = await all();
      const total = held.reduce((sum, one) => sum + one.bytes, 0);
      for (const { name } of excessOf(held, Math.max(0, total - bytes), now())) await drop(name);
    },
  };
}

/** A second name of the file; a copy where the file system has no links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await link(from, to).catch(() => copyFile(from, to));
}
