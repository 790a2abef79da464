import type { Address, Hex } from "../../protocol/ids.ts";

/** Whose an account is, by the registry. */
export interface Ownership {
  /** Alone moves the stake and names payee and next owner; at first the account itself. */
  readonly owner: Address;
  /** Where stake and all that the account is owed are paid; at first the owner. */
  readonly payee: Address;
  /** To whom the account is offered, until that account accepts. */
  readonly offeredTo: Address | undefined;
}

/** A call about an account's money, or whose it is. `of` is that account: the signer's own where it is absent. */
export type AccountCall =
  | { kind: "deposit"; amount: bigint; of?: Address | undefined }
  /** Starts the withdrawal of free stake; `withdrawStake` pays it once the cooldown is over. */
  | { kind: "requestWithdrawal"; amount: bigint; of?: Address | undefined }
  | { kind: "withdrawStake"; of?: Address | undefined }
  /** Pays what the escrow owes the account to its payee. */
  | { kind: "withdraw"; token: Address; of?: Address | undefined }
  /** The same by the escrow of federated jobs. */
  | { kind: "withdrawFederated"; token: Address; of?: Address | undefined }
  /** The same by the contract of data campaigns. */
  | { kind: "withdrawCampaigns"; token: Address; of?: Address | undefined }
  /** The same by the contract of improvement markets. */
  | { kind: "withdrawImprovements"; token: Address; of?: Address | undefined }
  /** Nothing changes until `to` accepts. */
  | { kind: "offerOwnership"; to: Address; of?: Address | undefined }
  | { kind: "acceptOwnership"; of: Address }
  | { kind: "setPayee"; payee: Address; of?: Address | undefined };

/** A call as the contract takes it, for a wallet that signs elsewhere. */
export interface UnsignedCall {
  readonly to: Address;
  /** Wei sent along. */
  readonly value: bigint;
  readonly data: Hex;
}
