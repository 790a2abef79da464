import type { CatalogueEntry } from "../entry.ts";
import { improvementRefusals } from "./campaign/improvements.ts";
import { campaignRefusals } from "./campaigns.ts";

/** What the contracts refuse, named after their errors: `JobEscrow_InvalidStatus` is `ESCROW_INVALID_STATUS`. */
export const contractsErrors = {
  ...campaignRefusals,
  ...improvementRefusals,
  ERC20_INSUFFICIENT_ALLOWANCE: {
    class: "refused",
    hint: "Let the escrow take the sum: approve its address in the token first.",
  },
  ERC20_INSUFFICIENT_BALANCE: {
    class: "refused",
    hint: "Send the account more of the token, or pay in another.",
  },
  ESCROW_ALREADY_DISCLOSED: {
    class: "refused",
    hint: "The provider's measurement is known already; there is nothing more to do.",
  },
  ESCROW_ALREADY_POSTED: {
    class: "refused",
    hint: "This job is on the chain already: see it with `ichain jobs`.",
  },
  ESCROW_ALREADY_RATED: { class: "refused", hint: "A rating is final; there is nothing more to do." },
  ESCROW_COMMITMENT_MISMATCH: {
    class: "refused",
    hint: "What is revealed must be what was committed to, salt included; it is in the journal.",
  },
  ESCROW_INVALID_STATUS: {
    class: "refused",
    hint: "The job has moved on: look at it with `ichain job ID` and do what its state allows.",
  },
  ESCROW_INVALID_TERMS: {
    class: "refused",
    hint: "Name parties that fit, give every step its least window, and ask for no more validator stake than the pool's.",
  },
  ESCROW_KEY_MISMATCH: {
    class: "refused",
    hint: "The key must be the one committed to when the result was submitted; it is in the journal.",
  },
  ESCROW_NOTHING_OWED: {
    class: "refused",
    hint: "There is nothing to withdraw; `ichain jobs` shows the jobs that still run.",
  },
  ESCROW_NOTHING_PENDING: {
    class: "refused",
    hint: "Every validator has committed or left: there is no one to dismiss.",
  },
  ESCROW_NOTHING_TO_DRAW: {
    class: "refused",
    hint: "All seats are filled, or the seed is known already; wait for the validators.",
  },
  ESCROW_NOT_ELIGIBLE: {
    class: "refused",
    hint: "Choose a validator that is no party of the job and has had no seat in it.",
  },
  ESCROW_NOT_PARTY: {
    class: "refused",
    hint: "Use the wallet of the party whose turn it is; `ichain job ID` names all of them.",
  },
  ESCROW_NOT_REGISTRY: {
    class: "refused",
    hint: "Only the market's own contracts make this call: use the command that leads to it.",
  },
  ESCROW_LIST_WRONG_COUNT: { class: "usage", hint: "Deploy registry and rating for one to four escrows." },
  ESCROW_LIST_ZERO_ADDRESS: {
    class: "usage",
    hint: "Deploy registry and rating for escrows that exist or will.",
  },
  ESCROW_NOT_TOKEN: {
    class: "usage",
    hint: "Check the token's address: there is no contract on this chain.",
  },
  ESCROW_NO_APPEAL: {
    class: "refused",
    hint: "A rejection or the lack of a verdict can be appealed once, by the provider that showed its measurement.",
  },
  ESCROW_SEED_MISMATCH: {
    class: "refused",
    hint: "The seed must be the one committed to for this draw; it is in the journal of the home that posted or ran the job.",
  },
  ESCROW_STILL_COMMITTING: {
    class: "refused",
    hint: "Wait until every validator has committed or its deadline is over.",
  },
  ESCROW_TOKEN_TOOK_FEE: {
    class: "refused",
    hint: "Choose a plain ERC-20 that takes no fee on transfer, or the chain's coin.",
  },
  ESCROW_TOO_EARLY: {
    class: "refused",
    hint: "It is still another party's turn: try again after the deadline shown.",
  },
  ESCROW_TOO_LATE: {
    class: "refused",
    hint: "The deadline is over; `ichain why ID` says what happens to the money now.",
  },
  ESCROW_TOO_LONG: { class: "refused", hint: "Shorten the text or locator to the limit shown." },
  ESCROW_TRANSFER_FAILED: {
    class: "refused",
    hint: "The payee's contract refused the coins: have the owner name an account that takes them (`ichain owner payee`).",
  },
  ESCROW_WRONG_DEPLOYMENT: {
    class: "usage",
    hint: "Deploy the market again; the deploying account must send nothing else meanwhile.",
  },
  ESCROW_WRONG_PANEL_SIZE: {
    class: "refused",
    hint: "A validator came or left at the same moment: try again.",
  },
  ESCROW_WRONG_PAYMENT: {
    class: "funds",
    hint: "Send exactly the price and the validators' fees, or approve that sum in the token.",
  },
  ESCROW_WRONG_SEAT: {
    class: "refused",
    hint: "Look at the job (`ichain job ID`): this validator has already done, or lost, this step.",
  },
  ESCROW_NOT_ADMITTED: {
    class: "refused",
    hint: "Ask the requester for an admission of this account: it signs one for each provider that it takes.",
  },
  ESCROW_NOTHING_TO_CLAIM: {
    class: "refused",
    hint: "All that was earned up to this round is credited; withdraw it with `ichain withdraw`.",
  },
  ESCROW_NOTHING_TO_RELEASE: {
    class: "refused",
    hint: "These stakes are free already, or a strike against their accounts can still be appealed.",
  },
  ESCROW_NO_BLOCK_HASH: {
    class: "refused",
    hint: "Wait for the block that draws; where it is 256 blocks old, call again: another one is fixed.",
  },
  ESCROW_OVERDRAWN: {
    class: "refused",
    hint: "The pay of this closing is more than its rounds have: challenge it while its window is open.",
  },
  ESCROW_WRONG_APPROVALS: {
    class: "refused",
    hint: "Collect the signatures of more than half of the seats over exactly this, in ascending order of address.",
  },
  ESCROW_WRONG_CLOSINGS: {
    class: "refused",
    hint: "Give the closings from the one that is meant to the last one of the job.",
  },
  ESCROW_WRONG_COUNT: {
    class: "refused",
    hint: "Wait for more providers to begin; to enlist, take a job that has places left.",
  },
  ESCROW_WRONG_PANEL_SEAT: {
    class: "refused",
    hint: "Look at the dispute: this validator is not of its panel, or has already done this step.",
  },
  ESCROW_WRONG_PROOF: {
    class: "refused",
    hint: "Take the sum and the proof from the pay list of the same closing.",
  },
  ESCROW_WRONG_ROUND: {
    class: "refused",
    hint: "Look at the job: another round is open, or this closing is final.",
  },
  ESCROW_WRONG_STANDING: {
    class: "refused",
    hint: "Look at the job: this account is no party of it, or has already done, or lost, this step.",
  },
  ESCROW_WRONG_STRIKE: {
    class: "refused",
    hint: "Give the strike and its signers as they were brought; a strike that was cleared is not brought again.",
  },
  PERMIT_EXPIRED: {
    class: "refused",
    hint: "Submit the job again: it is posted with a fresh permit.",
  },
  PERMIT_REFUSED: {
    class: "refused",
    hint: "Approve the escrow in the token first, or pay in another.",
  },
  RATING_INVALID_SCORE: { class: "refused", hint: "Give a whole number from 1 to 5." },
  RATING_NOT_ESCROW: {
    class: "refused",
    hint: "Only the market's own contracts make this call: use the command that leads to it.",
  },
  REGISTRY_BANNED: {
    class: "refused",
    hint: "The account was slashed too often and takes no work for a while; choose another.",
  },
  REGISTRY_COOLING_DOWN: {
    class: "refused",
    hint: "Wait until the time shown; the stake stays liable until then.",
  },
  REGISTRY_INSUFFICIENT_STAKE: {
    class: "funds",
    hint: "Add stake, or wait until running jobs release theirs.",
  },
  REGISTRY_INVALID_SIGNATURE: {
    class: "refused",
    hint: "Publish with the wallet that the offer belongs to.",
  },
  REGISTRY_MISSING_KEYS: {
    class: "refused",
    hint: "Publish with the account's OpenPGP and onion keys: `ichain init` makes them.",
  },
  REGISTRY_NOTHING_LEAVING: {
    class: "refused",
    hint: "Ask for the withdrawal first, then wait for the cooldown.",
  },
  REGISTRY_NOT_ESCROW: {
    class: "refused",
    hint: "Only the market's own contracts make this call: use the command that leads to it.",
  },
  REGISTRY_NOT_OFFERED: {
    class: "refused",
    hint: "Have its owner offer the account to this wallet's address first: `ichain owner offer`.",
  },
  REGISTRY_NOT_OWNER: {
    class: "refused",
    hint: "Give it with the owner's wallet, which `ichain owner show` names; `--calldata` prints the call for a Safe.",
  },
  REGISTRY_NO_OFFER: {
    class: "refused",
    hint: "Publish an offer for this role first: `ichain provide` or `ichain validate`.",
  },
  REGISTRY_TOO_LONG: { class: "refused", hint: "Shorten the offer's details or the key to the limit shown." },
  REGISTRY_TRANSFER_FAILED: {
    class: "refused",
    hint: "The payee's contract refused the coins: have the owner name an account that takes them (`ichain owner payee`).",
  },
  TOKEN_NAME_UNKNOWN: {
    class: "usage",
    hint: "Write the token's address, or list it under tokens in the network file.",
  },
  TOKEN_REFUSED: {
    class: "refused",
    hint: "Its issuer may have frozen the account or stopped the token: ask there, or pay in another token or the coin.",
  },
  TOKEN_UNUSABLE: {
    class: "usage",
    hint: "Check the token's address: it must be an ERC-20 contract on this chain.",
  },
  TOKEN_WITHHELD: {
    class: "refused",
    hint: "Its issuer may have frozen the account: ask there, and try `ichain wallet withdraw` later.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
