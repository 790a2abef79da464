import type { Abortable } from "../../../async/abort.ts";
import { type IchainError, isIchainError } from "../../../errors/error.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { currentRows, keptKey, type RowsContext, rowsOf } from "../market/rows.ts";

/** For which an author may send nothing before its entry counts as missing, milliseconds. */
const QUIET_MS = 60_000;
/** Entries that are fetched at once: a silent author holds up its lane alone. */
const LANES = 8;

/** Rows that can no longer be fixed, in their order, and entries whose rows could not be had. */
export interface AcceptedRows {
  readonly rows: readonly string[];
  readonly missing: readonly { readonly entry: number; readonly error: IchainError }[];
}

/**
 * The accepted rows of a campaign as it is given, but for some entries; rows that are not here are fetched from their
 * authors, side by side.
 */
export async function acceptedRows(
  context: RowsContext,
  campaign: Campaign,
  without: ReadonlySet<number>,
  { signal, quietMs = QUIET_MS }: Abortable & { readonly quietMs?: number | undefined },
): Promise<AcceptedRows> {
  const wanted = entriesWithRows(campaign).filter((entry) => !without.has(entry));
  const found = new Map<number, string[]>();
  const missing: { entry: number; error: IchainError }[] = [];
  const queue = wanted.values();
  const lane = async () => {
    for (const entry of queue) {
      try {
        const added = await rowsOf(context, campaign, entry, { signal, quietMs });
        const rows = currentRows(campaign, entry, added, await keptKey(context, campaign, entry));
        found.set(
          entry,
          rows.filter(({ state }) => state !== "open").map(({ text }) => text),
        );
      } catch (error) {
        if (signal.aborted || !isIchainError(error)) throw error;
        missing.push({ entry, error });
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return {
    rows: wanted.flatMap((entry) => found.get(entry) ?? []),
    missing: missing.toSorted((a, b) => a.entry - b.entry),
  };
}

/** Entries that have a row which can no longer be fixed. */
function entriesWithRows({ rules }: Campaign): number[] {
  const fixed = new Set(
    rules.places().flatMap(({ entry, row }) => (rules.rowOf({ entry, row }).fixedBy ? [entry] : [])),
  );
  return [...rules.entries.keys()].filter((entry) => rules.entries[entry]!.refunded || fixed.has(entry));
}
