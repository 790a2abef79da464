import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import { toHex } from "../../../protocol/bytes.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { encodeRows, rowsRoot } from "../../../protocol/campaign/rows.ts";
import { type Hex, sameAddress } from "../../../protocol/ids.ts";
import { encodeLocator } from "../../../protocol/parcel/locator.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { allowEscrow } from "../../tokens.ts";
import { keepServed, type ServedRows } from "./host.ts";
import { entryKeyFor, sealRows } from "./private/parcel.ts";
import { knownReaders } from "./private/readers.ts";
import { recordLock, undertake, undertakenOf } from "./undertake.ts";

/** What an addition of rows depends on, as its journal has it. */
export interface Addition extends Partial<ServedRows> {
  /** Of the tree over the rows. */
  readonly root: Hex;
  readonly count: number;
  /** Most that each row's deposit may be, smallest unit. */
  readonly deposit: bigint;
  readonly locator: Hex;
}

/** Rows that are to be added. */
export interface Adding {
  readonly rows: readonly string[];
  /** Most that each row's deposit may be, smallest unit. */
  readonly deposit: bigint;
  /** Of a public file with these rows, which this home then does not serve. */
  readonly cid?: string | undefined;
}

/**
 * Adds rows under this account, and keeps them here for `hostRows`: they are served once the chain has the entry, so that
 * nobody can add them first. In a private campaign they are sealed for its readers.
 * @returns the entry's number
 * @throws CAMPAIGN_ROWS_KNOWN, CAMPAIGN_BRIEF_UNKNOWN, BUDGET_EXCEEDED; KEY_UNUSABLE of a reader;
 *   CAMPAIGN_PRIVATE with `cid`
 */
export async function addRows(
  context: RoleContext,
  campaign: Campaign,
  { rows, deposit, cid }: Adding,
  options: Abortable,
): Promise<number> {
  const { journal, account } = context;
  const { id } = campaign;
  const readers = knownReaders(campaign);
  if (readers !== undefined && cid !== undefined) {
    throw new IchainError("CAMPAIGN_PRIVATE", "The rows of this campaign are sealed, and a CID is public.", {
      hint: "Add the rows from a file: they are sealed for the campaign's readers.",
    });
  }
  const key = readers && (await entryKeyFor(context, id, rows));
  const root = rowsRoot(account, rows, key);
  const name = `add-${root.slice(2, 18)}`;
  const isBegun = undertakenOf(journal, id, name).some(({ finished }) => finished === undefined);
  const known = entryWith(campaign, root, account);
  if (known !== undefined && !isBegun) {
    throw new IchainError("CAMPAIGN_ROWS_KNOWN", `These rows are entry ${known} of the campaign already.`);
  }
  const locked = BigInt(rows.length) * deposit;
  return await undertake(journal, { campaign: id, name }, async (record) => {
    await recordLock(context, record, { token: campaign.terms.token, locked }, options);
    await record.step<null, Addition>("draft", {
      prepare: () => null,
      act: async () => {
        const shown = { root, count: rows.length, deposit };
        if (cid !== undefined) return { ...shown, locator: toHex(encodeLocator({ kind: "content", cid })) };
        const bytes =
          readers === undefined || key === undefined
            ? encodeRows(rows)
            : await sealRows(context, { campaign: id, root, key, rows }, readers, options);
        return { ...shown, ...(await keepServed(context, id, bytes, options)) };
      },
    });
    return await postRows(context, campaign, record, options);
  });
}

/** The adding itself, of what was drafted. */
export async function postRows(
  { market, account }: Pick<RoleContext, "market" | "account">,
  campaign: Campaign,
  record: JobJournal,
  options: Abortable,
): Promise<number> {
  const { root, count, deposit, locator } = record.outcome<Addition>("draft")!;
  const { token } = campaign.terms;
  if (record.intent("call") === undefined)
    await allowEscrow(market, token, BigInt(count) * deposit, { ...options, spender: "campaigns" });
  const call = { kind: "addRows", campaign, root, count, deposit, locator } as const;
  await transact(market, record, call, { ...options, name: "call" });
  return entryWith(await market.campaign(campaign.id, options), root, account)!;
}

function entryWith({ batches, rules }: Campaign, root: Hex, author: string): number | undefined {
  const entry = batches.findLastIndex(
    (batch, i) => batch.root === root && sameAddress(rules.entries[i]!.author, author),
  );
  return entry === -1 ? undefined : entry;
}
