import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { IchainError } from "../errors/error.ts";
import type { BackupContent } from "./content.ts";

const movedMark = (home: string) => join(home, "moved");
const restoredMark = (home: string) => join(home, "restored.json");

const restoredSchema = z.strictObject({ sent: z.number().int().nonnegative() });

/** From now on the home does not act: it is where `file` is restored. */
export async function markMoved(home: string, file: string): Promise<void> {
  await writeFile(movedMark(home), `${new Date().toISOString()} ${file}\n`, { flag: "wx", mode: 0o600 });
}

/** Leaves for the home's first act how many transactions the account had sent at its backup. */
export async function markRestored(home: string, { sent }: BackupContent): Promise<void> {
  await writeFile(restoredMark(home), JSON.stringify({ sent }), { flag: "wx", mode: 0o600 });
}

/**
 * Refuses to act in a home that was moved elsewhere, and in a restored one whose account has acted since its backup: it
 * would act again on what its journal does not know. `sent`: transactions of the account that are in blocks.
 * @throws HOME_MOVED, HOME_STALE
 */
export async function refuseSecondHome(home: string, sent: () => Promise<number>): Promise<void> {
  const moved = await readIfThere(movedMark(home));
  if (moved !== undefined) {
    throw new IchainError("HOME_MOVED", `This home was moved: ${moved.trim().slice(0, 500)}.`, {
      hint: `Act in the home that the backup was restored to. If it never was, remove ${movedMark(home)}.`,
      details: { home },
    });
  }
  const text = await readIfThere(restoredMark(home));
  if (text === undefined) return;
  const before = restoredSchema.safeParse(JSON.parse(text)).data?.sent ?? 0;
  if ((await sent()) > before) {
    throw new IchainError("HOME_STALE", "The account has acted since the backup that this home comes from.", {
      hint: `Restore a later backup. Without one, "ichain journal repair" rebuilds what chain and disk tell; then remove ${restoredMark(home)}.`,
      details: { home },
    });
  }
  await rm(restoredMark(home), { force: true });
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new IchainError("HOME_UNWRITABLE", `${path} cannot be read.`, { cause: error });
  });
}
