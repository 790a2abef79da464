import { setTimeout as delay } from "node:timers/promises";
import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Campaign } from "../../../protocol/campaign/campaign.ts";
import { rowDigest, rowProof, rowSalt } from "../../../protocol/campaign/rows.ts";
import { type Correction, type FixPlace, fixCommitment, NO_ROW } from "../../../protocol/campaign/terms.ts";
import { type Hex, sameAddress } from "../../../protocol/ids.ts";
import type { RoleContext } from "../../context.ts";
import { random32 } from "../../shared/random.ts";
import { transact } from "../../shared/transact.ts";
import { allowEscrow } from "../../tokens.ts";
import { encodeCorrection } from "./private/seal.ts";
import { recordLock, undertake } from "./undertake.ts";

/** Between two tries to show a fix whose commitment is in the newest block. */
const LATER_BLOCK_MS = 1_000;

/** What is wrong with a row, and what takes its place. */
export interface Repair {
  readonly entry: number;
  readonly row: number;
  /** The entry's rows; undefined where the row is said not to be in the data at all. */
  readonly rows: readonly string[] | undefined;
  /** Undefined removes the row. */
  readonly corrected: string | undefined;
  /** Of the entry's parcel, in a private campaign (`keptKey`). */
  readonly key?: Hex | undefined;
}

interface Drafted {
  readonly correction: Correction & { readonly proof: readonly Hex[] };
  readonly content: Hex;
}

/**
 * Commits to a fix, then shows it with the bond in a later block, so that who sees it cannot run ahead.
 * @returns where the fix is
 * @throws BUDGET_EXCEEDED
 */
export async function fixRow(
  context: RoleContext,
  campaign: Campaign,
  { entry, row, rows, corrected, key }: Repair,
  options: Abortable,
): Promise<FixPlace> {
  const { author } = campaign.rules.entries[entry]!;
  const salt = rowSalt(key, row);
  const digest = corrected === undefined ? NO_ROW : rowDigest(corrected, salt);
  const name = `fix-${entry}-${row}-${rows === undefined ? "absent" : digest.slice(2, 10)}`;
  return await undertake(context.journal, { campaign: campaign.id, name }, async (record) => {
    const { token, bond } = campaign.terms;
    await recordLock(context, record, { token, locked: bond }, options);
    await record.step<Drafted, Drafted>("draft", {
      prepare: () => ({
        correction: {
          ...{ entry, row, corrected: digest, salt: random32() },
          original: rows === undefined ? NO_ROW : rowDigest(rows[row]!, salt),
          proof: rows === undefined ? [] : rowProof(author, rows, row, key),
        },
        content: corrected === undefined ? "0x" : encodeCorrection(corrected, key),
      }),
      act: (drafted) => drafted,
    });
    return await showFix(context, campaign, record, options);
  });
}

/** Commits to what was drafted and shows it. */
export async function showFix(
  { market, account }: Pick<RoleContext, "market" | "account">,
  campaign: Campaign,
  record: JobJournal,
  options: Abortable,
): Promise<FixPlace> {
  const { correction, content } = record.outcome<Drafted>("draft")!;
  const { terms, id } = campaign;
  const commitment = fixCommitment(id, account, correction);
  const commit = { kind: "commitFix", campaign, commitment } as const;
  await transact(market, record, commit, { ...options, name: "commit" });
  if (record.intent("call") === undefined)
    await allowEscrow(market, terms.token, terms.bond, { ...options, spender: "campaigns" });
  const call = { kind: "fixRow", campaign, correction, content } as const;
  for (;;) {
    try {
      await transact(market, record, call, { ...options, name: "call" });
      break;
    } catch (error) {
      const isEarly = isIchainError(error, "CAMPAIGN_NOT_COMMITTED") && record.intent("call") === undefined;
      if (!isEarly) throw error;
      await delay(LATER_BLOCK_MS, undefined, options);
    }
  }
  const { rules } = await market.campaign(id, options);
  const { entry, row } = correction;
  const fix = rules.rowOf(correction).fixes.findLastIndex(({ fixer }) => sameAddress(fixer, account));
  return { entry, row, fix };
}
