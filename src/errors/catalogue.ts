import { improvementErrors } from "./catalogue/campaign/improvements.ts";
import { campaignErrors } from "./catalogue/campaigns.ts";
import { chainErrors } from "./catalogue/chain.ts";
import { contentErrors } from "./catalogue/content.ts";
import { contractsErrors } from "./catalogue/contracts.ts";
import { federatedErrors } from "./catalogue/federated.ts";
import { gossipErrors } from "./catalogue/gossip.ts";
import { homeErrors } from "./catalogue/home.ts";
import { jobErrors } from "./catalogue/job.ts";
import { parcelErrors } from "./catalogue/parcel.ts";
import { refusalsErrors } from "./catalogue/refusals.ts";
import { sandboxErrors } from "./catalogue/sandbox.ts";
import { transferErrors } from "./catalogue/transfer.ts";
import type { CatalogueEntry } from "./entry.ts";

/** Every code that an `IchainError` can have; docs/reference/errors.md is made from it. Codes never change. */
export const catalogue = {
  ...campaignErrors,
  ...chainErrors,
  ...contentErrors,
  ...contractsErrors,
  ...federatedErrors,
  ...gossipErrors,
  ...homeErrors,
  ...improvementErrors,
  ...jobErrors,
  ...refusalsErrors,
  ...parcelErrors,
  ...sandboxErrors,
  ...transferErrors,
};

export type ErrorCode = keyof typeof catalogue;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalogue, text);
}

export function entryOf(code: ErrorCode): CatalogueEntry {
  return catalogue[code];
}
