import { existsSync } from "node:fs";
import { openRecords } from "../../compose.ts";
import type { Journal } from "../../ports/journal.ts";
import type { JobId } from "../../protocol/ids.ts";
import { type Links, linksOf } from "../../roles/job/requester/successors/go-on.ts";
import type { CommandContext } from "../framework/declaration.ts";

/**
 * What `use` finds in this home's journal; undefined where there is none, or it is damaged: that must not keep back what
 * the chain tells.
 */
export async function fromRecords<T>(
  context: CommandContext,
  use: (journal: Journal) => T | Promise<T>,
): Promise<T | undefined> {
  // A missing journal must not be made here.
  if (!existsSync(context.config.paths.journal)) return undefined;
  const journal = await openRecords(context).catch(() => undefined);
  if (journal === undefined) return undefined;
  try {
    return await use(journal);
  } finally {
    journal.close();
  }
}

/** The jobs before and after each of these, by its id; empty for one that is not of this home. */
export async function readLinks(
  context: CommandContext,
  ids: readonly JobId[],
): Promise<(id: JobId) => Links> {
  const all = await fromRecords(context, (journal) => new Map(ids.map((id) => [id, linksOf(journal, id)])));
  return (id) => all?.get(id) ?? {};
}
