import { IchainError } from "../../../../errors/error.ts";
import { briefOf } from "../../../../protocol/campaign/brief.ts";
import type { Campaign } from "../../../../protocol/campaign/campaign.ts";
import { type Hex, shortId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";

/** Onion keys of those that can read a campaign's rows; undefined where everybody can, or its brief is of no known form. */
export function readersOf(campaign: Campaign): readonly Hex[] | undefined {
  return briefOf(campaign)?.readers;
}

/**
 * The same for rows that are about to be shown: of a brief of no known form it is not known whether everybody may.
 * @throws CAMPAIGN_BRIEF_UNKNOWN
 */
export function knownReaders(campaign: Campaign): readonly Hex[] | undefined {
  const brief = briefOf(campaign);
  if (brief !== undefined) return brief.readers;
  throw new IchainError(
    "CAMPAIGN_BRIEF_UNKNOWN",
    `The brief of campaign ${shortId(campaign.id)} cannot be read, and so it is not known who shall read the rows.`,
  );
}

/** Whether this account can read the rows of others. */
export function isReader({ keyring }: Pick<RoleContext, "keyring">, campaign: Campaign): boolean {
  const readers = readersOf(campaign);
  return readers === undefined || readers.includes(keyring.publicKeys.onionKey);
}

/**
 * Refuses who cannot read the rows of others.
 * @throws CAMPAIGN_PRIVATE
 */
export function refuseStranger(context: Pick<RoleContext, "keyring">, campaign: Campaign): void {
  if (isReader(context, campaign)) return;
  throw new IchainError(
    "CAMPAIGN_PRIVATE",
    `The rows of campaign ${shortId(campaign.id)} are sealed, and this account is not among its readers.`,
  );
}
