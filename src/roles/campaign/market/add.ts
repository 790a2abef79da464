import type { Abortable } from "../../../async/abort.ts";
import { IchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { encodeRows, rowsRoot } from "../../../protocol/campaign/rows.ts";
import { type Hex, sameAddress } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { allowEscrow } from "../../tokens.ts";
import { keepServed, type ServedRows } from "./host.ts";
import { entryKeyFor, sealRows } from "./private/parcel.ts";
import { knownReaders } from "./private/readers.ts";
import { recordLock, undertake, undertakenOf } from "./undertake.ts";

/** What an addition of rows depends on, as its journal has it. */
export interface Addition extends ServedRows {
  /** Of the tree over the rows. */
  readonly root: Hex;
  readonly count: number;
  /** Most that each row's deposit may be, smallest unit. */
  readonly deposit: bigint;
  readonly locator: Hex;
}

/**
 * Adds rows under this account, and keeps them here for `hostRows`: they are served once the chain has the entry, so that
 * nobody can add them first. In a private campaign they are sealed for its readers.
 * @returns the entry's number
 * @throws CAMPAIGN_ROWS_KNOWN, CAMPAIGN_BRIEF_UNKNOWN, BUDGET_EXCEEDED; KEY_UNUSABLE of a reader
 */
export async function addRows(
  context: RoleContext,
  campaign: Campaign,
  { rows, deposit }: { readonly rows: readonly string[]; readonly deposit: bigint },
  options: Abortable,
): Promise<number> {
  const { journal, account } = context;
  const { id } = campaign;
  const readers = knownReaders(campaign);
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
        const bytes =
          readers === undefined || key === undefined
            ? encodeRows(rows)
            : await sealRows(context, { campaign: id, root, key, rows }, readers, options);
        const served = await keepServed(context, id, bytes, options);
        return { ...served, root, count: rows.length, deposit };
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
