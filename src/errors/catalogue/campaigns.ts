import type { CatalogueEntry } from "../entry.ts";

/** What the contract of data campaigns refuses: `DataCampaign_NoRow` is `CAMPAIGN_NO_ROW`. */
export const campaignRefusals = {
  CAMPAIGN_ALREADY_COMMITTED: {
    class: "refused",
    hint: "This very fix was committed to before; `ichain resume` shows it.",
  },
  CAMPAIGN_ALREADY_FIXED: {
    class: "refused",
    hint: "Another fix of this row was right and came first; there is nothing more to fix.",
  },
  CAMPAIGN_ALREADY_REFUNDED: {
    class: "refused",
    hint: "These rows are paid already: `ichain wallet withdraw` pays out what is owed.",
  },
  CAMPAIGN_COMMITMENT_MISMATCH: {
    class: "refused",
    hint: "What is revealed must be the vote that was committed to; it is in the journal of the home that voted.",
  },
  CAMPAIGN_INVALID_FIX_STATUS: {
    class: "refused",
    hint: "The fix has moved on: look at it with `ichain data show ID` and do what its state allows.",
  },
  CAMPAIGN_INVALID_STATUS: {
    class: "refused",
    hint: "The campaign takes no rows any more, or is on the chain already: see it with `ichain data show ID`.",
  },
  CAMPAIGN_INVALID_TERMS: {
    class: "refused",
    hint: "Keep the reward at most the price, deposit and bond at least three fees, and both windows at least 5 minutes.",
  },
  CAMPAIGN_NOT_COMMITTED: {
    class: "refused",
    hint: "A fix is shown in a later block than it was committed to: try again.",
    retryable: true,
  },
  CAMPAIGN_NOT_PARTY: {
    class: "refused",
    hint: "Use the wallet of the account whose turn it is; `ichain data show ID` names all of them. No author fixes its own row.",
  },
  CAMPAIGN_NO_BLOCK_HASH: {
    class: "refused",
    hint: "The block that draws is not mined yet: try again in some blocks.",
    retryable: true,
  },
  CAMPAIGN_NO_ENTRY: {
    class: "refused",
    hint: "No rows were added under this number: `ichain data show ID` lists them.",
  },
  CAMPAIGN_NO_ROW: { class: "refused", hint: "The entry has fewer rows; they are counted from 0." },
  CAMPAIGN_TOO_DEAR: {
    class: "refused",
    hint: "Others added rows meanwhile and the deposit rose: add again, or wait until it has fallen.",
  },
  CAMPAIGN_TOO_EARLY: {
    class: "refused",
    hint: "A window is still open: `ichain data show ID` says until when.",
    retryable: true,
  },
  CAMPAIGN_TOO_LATE: { class: "refused", hint: "The time for this is over: see `ichain data show ID`." },
  CAMPAIGN_TOO_LONG: {
    class: "refused",
    hint: "Keep a campaign's description and a corrected row within 1 KiB.",
  },
  CAMPAIGN_WRONG_COUNT: {
    class: "refused",
    hint: "Add at least one row, and no more than the campaign still takes: `ichain data show ID` says how many.",
  },
  CAMPAIGN_WRONG_NUMBER: {
    class: "refused",
    hint: "Another version has this number: `ichain data versions ID` lists all; `ichain resume` publishes under the next.",
  },
  CAMPAIGN_WRONG_ORDER: {
    class: "refused",
    hint: "Earlier fixes of the row are taken first: `ichain data take ID` takes all in their order.",
  },
  CAMPAIGN_WRONG_PROOF: {
    class: "refused",
    hint: "The row is not what was added: fetch the rows again with `ichain data get ID`.",
  },
  CAMPAIGN_WRONG_SLICE: {
    class: "refused",
    hint: "The slice that was drawn is shown first, and each once: `ichain data show ID` says which are.",
  },
  CAMPAIGN_WRONG_SLICE_PROOF: {
    class: "refused",
    hint: "Show the very rows and salts that the campaign was opened with, from the home that opened it.",
  },
  CAMPAIGN_WRONG_VOTE: {
    class: "refused",
    hint: "Only a member of the panel votes, and once: `ichain data show ID` names the panel.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

/** What goes wrong with data campaigns before the contract is asked. */
export const campaignErrors = {
  CAMPAIGN_AMBIGUOUS: { class: "usage", hint: "Give more digits of the campaign's id." },
  CAMPAIGN_BRIEF_UNKNOWN: {
    class: "untrusted",
    hint: "Update ichain, or ask the campaign's owner: rows may be for named readers alone, and added now they would be public.",
  },
  CAMPAIGN_HIDDEN_LOST: {
    class: "config",
    hint: "Show slices from the home that opened the campaign, or from a backup of it.",
  },
  CAMPAIGN_INVALID: {
    class: "usage",
    hint: "Mend the fields named above; docs/campaigns.md explains each of them.",
  },
  CAMPAIGN_JOB_UNFIT: {
    class: "usage",
    hint: "List rows.txt among the job's inputs, and hidden.txt under `verification.inputs` with `mode: exam`.",
  },
  CAMPAIGN_MODEL_STRANGE: {
    class: "untrusted",
    hint: "What its host serves is not the model that was published; `ichain data versions ID` says what is known of it.",
  },
  CAMPAIGN_NO_VERSION: {
    class: "usage",
    hint: "`ichain data versions ID` lists the versions that the campaign's owner published.",
  },
  CAMPAIGN_OPENING: {
    class: "refused",
    hint: "Carry it on first with `ichain resume`: it would be opened, and its price locked, twice.",
  },
  CAMPAIGN_PARCEL_STRANGE: {
    class: "untrusted",
    hint: "Its author sealed something else than it added, or not for this reader: ask the campaign's owner whether it opens there; if not, each row can be fixed with --absent.",
  },
  CAMPAIGN_PRIVATE: {
    class: "refused",
    hint: "Only its owner and the readers that it names can read and fix rows; give `ichain data key` to an owner before it opens a campaign.",
  },
  CAMPAIGN_ROWS_INVALID: {
    class: "usage",
    hint: "Write a row a line, in UTF-8, of at most 1 KiB each.",
  },
  CAMPAIGN_ROWS_KNOWN: {
    class: "refused",
    hint: "The same rows again would be removed as copies; add others.",
  },
  CAMPAIGN_ROWS_MISSING: {
    class: "unavailable",
    hint: "Give the rows with `ichain data get ID --entry N --from FILE`, wait for their authors with --wait, or leave them out with --available or --without.",
    retryable: true,
  },
  CAMPAIGN_ROWS_STRANGE: {
    class: "untrusted",
    hint: "Its author serves other rows than it added; each can be fixed as a row that is not there.",
  },
  CAMPAIGN_UNKNOWN: { class: "usage", hint: "`ichain data list` lists the campaigns of this network." },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
