import type { CatalogueEntry } from "../../entry.ts";

/** What the contract of improvement markets refuses: `ImprovementMarket_TooLittle` is `IMPROVEMENT_MARKET_TOO_LITTLE`. */
export const improvementRefusals = {
  IMPROVEMENT_MARKET_COMMITMENT_MISMATCH: {
    class: "refused",
    hint: "What is revealed must be the root that was committed to; it is in the journal of the home that voted.",
  },
  IMPROVEMENT_MARKET_INVALID_STATUS: {
    class: "refused",
    hint: "The market has moved on: look at it with `ichain improve show ID` and do what its state allows.",
  },
  IMPROVEMENT_MARKET_INVALID_TERMS: {
    class: "refused",
    hint: "The campaign must be open, with a hidden test set of two slices or more and at most one shown; offer a bounty, a stake of at least 2 units, and steps of at least 5 minutes after all fixes are decided.",
  },
  IMPROVEMENT_MARKET_NO_BLOCK_HASH: {
    class: "refused",
    hint: "The block that draws is not mined yet: try again in some blocks.",
    retryable: true,
  },
  IMPROVEMENT_MARKET_NOT_PARTY: {
    class: "refused",
    hint: "The campaign's owner opens its market, an entry's author stakes on it, the drawn panel votes, each once: `ichain improve show ID` names them.",
  },
  IMPROVEMENT_MARKET_NOT_STAKEABLE: {
    class: "refused",
    hint: "Stakes are taken once an entry, after the first slice of the test set is shown and before the next, on 64 entries: see `ichain improve show ID`.",
  },
  IMPROVEMENT_MARKET_TOO_EARLY: {
    class: "refused",
    hint: "A window is still open: `ichain improve show ID` says until when.",
    retryable: true,
  },
  IMPROVEMENT_MARKET_TOO_LATE: {
    class: "refused",
    hint: "The time for this is over: see `ichain improve show ID`.",
  },
  IMPROVEMENT_MARKET_TOO_LITTLE: {
    class: "refused",
    hint: "Stake at least what the owner asks for: `ichain improve show ID` says how much.",
  },
  IMPROVEMENT_MARKET_WRONG_CLAIM: {
    class: "refused",
    hint: "It is paid already, or not in the panel's root: see `ichain improve show ID`.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

/** What goes wrong with improvement markets before the contract is asked. */
export const improvementErrors = {
  IMPROVEMENT_NONE: {
    class: "usage",
    hint: "`ichain improve list` lists the campaigns that have a market; a campaign's owner opens one with `ichain improve open`.",
  },
  IMPROVEMENT_NOT_DRAWN: {
    class: "refused",
    hint: "Only the panel votes, within its time: `ichain improve show ID` names it.",
  },
  IMPROVEMENT_ROOT_STRANGE: {
    class: "untrusted",
    hint: "The panel's root is of other payouts than the replay's here. Ask a member of the panel for its payouts; what nobody claims goes to the owner.",
  },
  IMPROVEMENT_SPEC_UNKNOWN: {
    class: "config",
    hint: "Its owner chose a replay that this release does not know: update, or leave the market alone.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
