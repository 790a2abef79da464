import { copyFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Closing } from "../../../../protocol/federated/market/closing.ts";
import type { Address } from "../../../../protocol/ids.ts";
import { proposedFiles, type RoundState, type WorkedOut } from "./round/work-out.ts";

/** What this seat worked out of a round that the chain has closed so; undefined where it did not. */
export function workedOut(
  journal: JobJournal,
  order: readonly Address[],
  closing: Closing,
): (WorkedOut & { readonly by: number }) | undefined {
  for (const by of order.keys()) {
    const tag = `${closing.round}-${by}`;
    const one =
      journal.outcome<WorkedOut>(`examined-${tag}`) ?? journal.outcome<WorkedOut>(`proposal-${tag}`);
    if (
      one?.closed.closing.ledgerTip === closing.ledgerTip &&
      one.closed.closing.modelRoot === closing.modelRoot
    )
      return { ...one, by };
  }
  return undefined;
}

/** Takes the files of a closed round for the next one, and removes those that no one needs any more. */
export async function adoptFiles(
  { files, ...place }: RoundState["place"],
  round: number,
  by: number,
): Promise<void> {
  const proposed = proposedFiles({ files, ...place }, round, by);
  await copyFile(proposed.model, files.model(round + 1));
  for (const [i, path] of proposed.states.entries()) await copyFile(path, files.state(round + 1, i));
}

/**
 * Removes what only closed rounds up to `round` needed; the parcel of the model that the last ended with is still served.
 * The updates of those from `disputable` on stay, for the panel that they may be shown to.
 */
export async function clearRounds(
  { files }: RoundState["place"],
  { round, disputable, kept }: { readonly round: number; readonly disputable: number; readonly kept: string },
): Promise<void> {
  for (const name of await readdir(files.rounds).catch(() => [])) {
    const [, what, of = 0] = /^(proposed|update|root)-(\d+)(?=-|\.|$)/.exec(name) ?? [];
    const isOver = Number(of) <= round && (what === "proposed" || Number(of) < disputable);
    const path = join(files.rounds, name);
    if (what !== undefined && isOver && path !== kept) await rm(path, { recursive: true, force: true });
  }
}
