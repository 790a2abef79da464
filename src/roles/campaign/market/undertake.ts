import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal, Journal } from "../../../ports/journal.ts";
import type { Hex } from "../../../protocol/ids.ts";

/**
 * One act in a campaign, named after what it does to what, as an undertaking of its own: one that was interrupted goes
 * on, and one that the contract refused can be tried again.
 */
export async function undertake<T>(
  journal: Journal,
  { campaign, name }: { readonly campaign: Hex; readonly name: string },
  act: (record: JobJournal) => Promise<T>,
): Promise<T> {
  const begun = undertakenOf(journal, campaign, name);
  const open = begun.find(({ finished }) => finished === undefined);
  const record = journal.open("campaign", open?.key ?? `${campaign}/${name}/${begun.length}`);
  try {
    const result = await act(record);
    record.finish("done");
    return result;
  } catch (error) {
    // Nothing was sent, or what was sent is mined and had no effect.
    if (isIchainError(error) && error.class === "refused") record.finish("failed");
    throw error;
  }
}

/** What was undertaken under this name, the oldest first. */
export function undertakenOf(journal: Journal, campaign: Hex, name: string) {
  const prefix = `${campaign}/${name}/`;
  return journal.undertakings({ role: "campaign" }).filter(({ key }) => key.startsWith(prefix));
}
