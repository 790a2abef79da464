/** What to do about each refusal of the contracts, by code (`refusals.ts` derives it from the error's name). */
export const hints: Readonly<Record<string, string>> = {
  ESCROW_INVALID_STATUS:
    "The job has moved on: look at it with `ichain job ID` and do what its state allows.",
  ESCROW_NOT_PARTY: "Use the wallet of the party whose turn it is; `ichain job ID` names all of them.",
  ESCROW_TOO_LATE: "The deadline is over; `ichain why ID` says what happens to the money now.",
  ESCROW_TOO_EARLY: "The step still belongs to somebody else: try again after the deadline shown.",
  ESCROW_ALREADY_POSTED: "This very job is on the chain already: see it with `ichain jobs`.",
  ESCROW_INVALID_TERMS:
    "Name parties that fit, give every step its least window, and ask for no more validator stake than the pool's.",
  ESCROW_WRONG_PAYMENT: "Send exactly the price and the validators' fees, or approve that sum in the token.",
  ESCROW_TOKEN_TOOK_FEE: "Choose a plain ERC-20 that takes no fee on transfer, or the chain's coin.",
  ESCROW_TOO_LONG: "Shorten the text or locator to the limit shown.",
  ESCROW_WRONG_PANEL_SIZE: "A validator came or left at the same moment: try again.",
  ESCROW_NOT_ELIGIBLE: "Choose a validator that is no party of the job and has had no seat in it.",
  ESCROW_WRONG_SEAT:
    "Look at the job (`ichain job ID`): this validator has already done, or lost, this step.",
  ESCROW_STILL_COMMITTING: "Wait until every validator has committed or its deadline is over.",
  ESCROW_COMMITMENT_MISMATCH:
    "What is revealed must be what was committed to, salt included; it is in the journal.",
  ESCROW_ALREADY_DISCLOSED: "The provider's measurement is known already; there is nothing more to do.",
  ESCROW_KEY_MISMATCH:
    "The key must be the one committed to when the result was submitted; it is in the journal.",
  ESCROW_NOTHING_PENDING: "Every validator has committed or left: there is nobody to dismiss.",
  ESCROW_NO_APPEAL:
    "A rejection or the lack of a verdict can be appealed once, by the provider that showed its measurement.",
  ESCROW_SEED_MISMATCH:
    "The seed must be the one committed to for this draw; it is in the journal of the home that posted or ran the job.",
  ESCROW_NOTHING_TO_DRAW: "All seats are filled, or the seed is known already; wait for the validators.",
  ESCROW_ALREADY_RATED: "A rating is final; there is nothing more to do.",
  ESCROW_NOTHING_OWED: "There is nothing to withdraw; `ichain jobs` shows what is still under way.",
  ESCROW_TRANSFER_FAILED: "The receiving contract refused the coins: withdraw to an account that takes them.",
  REGISTRY_TOO_LONG: "Shorten the offer's details or the key to the limit shown.",
  REGISTRY_INVALID_SIGNATURE: "Publish with the wallet that the offer belongs to.",
  REGISTRY_MISSING_KEYS: "Publish with the account's OpenPGP and onion keys: `ichain init` makes them.",
  REGISTRY_NO_OFFER: "Publish an offer for this role first: `ichain provide` or `ichain validate`.",
  REGISTRY_BANNED: "The account was slashed too often and takes no work for a while; choose another.",
  REGISTRY_INSUFFICIENT_STAKE: "Add stake, or wait until running jobs let go of theirs.",
  REGISTRY_NOTHING_LEAVING: "Ask for the withdrawal first, then wait for the cooldown.",
  REGISTRY_COOLING_DOWN: "Wait until the time shown; the stake stays liable until then.",
  ERC20_INSUFFICIENT_BALANCE: "Send the account more of the token, or pay in another.",
  ERC20_INSUFFICIENT_ALLOWANCE: "Let the escrow take the sum: approve its address in the token first.",
  RATING_INVALID_SCORE: "Give a whole number from 1 to 5.",
};

/** Refusals that more coin or stake would cure. */
export const fundsCodes: ReadonlySet<string> = new Set([
  "REGISTRY_INSUFFICIENT_STAKE",
  "ESCROW_WRONG_PAYMENT",
]);
