import { AbiCoder, keccak256 } from "ethers";
import type { Address, Hex, JobId } from "../../ids.ts";

/** Terms of a federated job, as `IFederated.Terms`. */
export interface FederatedTerms {
  readonly requester: Address;
  /** Pays the rounds, fees and bonds; zero: the coin. */
  readonly token: Address;
  /** Shared by the providers of a round, the token's smallest unit. */
  readonly roundPrice: bigint;
  /** Of each seat for a round, and of each validator of a panel, the token's smallest unit. */
  readonly seatFee: bigint;
  /** Wei. */
  readonly providerStake: bigint;
  /** Of a seat, and of a validator of a panel; wei. */
  readonly seatStake: bigint;
  readonly rounds: number;
  /** Providers without which the job does not begin. */
  readonly least: number;
  /** Most providers. */
  readonly places: number;
  /** Validators that close rounds, 0 to 7; 0: the requester closes. */
  readonly seats: number;
  /** Last second to enlist, Unix time. */
  readonly enlistBy: number;
  /** Seconds to close a round. */
  readonly roundWindow: number;
  /** Seconds to begin, to challenge, to appeal, and to reveal. */
  readonly disputeWindow: number;
  readonly specHash: Hex;
  readonly bundleRoot: Hex;
  /** keccak256 of the requester's seed for the draw of the seats. */
  readonly seedHash: Hex;
  /** A strike ends the job: rounds that are not closed go back, and the others share the stakes of those it bans. */
  readonly refunds: boolean;
}

const TERMS =
  "tuple(address requester, address token, uint128 roundPrice, uint128 seatFee, uint96 providerStake, " +
  "uint96 seatStake, uint16 rounds, uint8 least, uint8 places, uint8 seats, uint40 enlistBy, uint24 roundWindow, " +
  "uint24 disputeWindow, bytes32 specHash, bytes32 bundleRoot, bytes32 seedHash, bool refunds)";

/** The id that a federated job with these terms has, as `FederatedEscrow.jobIdOf`. */
export function federatedJobIdOf(chainId: bigint, escrow: Address, terms: FederatedTerms): JobId {
  const encoded = AbiCoder.defaultAbiCoder().encode(["uint256", "address", TERMS], [chainId, escrow, terms]);
  return keccak256(encoded) as JobId;
}

/** What the requester locks: the price of all rounds and the fees of their seats, the token's smallest unit. */
export function federatedPriceOf({ rounds, seats, roundPrice, seatFee }: FederatedTerms): bigint {
  return BigInt(rounds) * (roundPrice + BigInt(seats) * seatFee);
}

/** The fees of a panel's three validators, which an appeal costs; the token's smallest unit. */
export function federatedPanelFeesOf({ seatFee }: FederatedTerms): bigint {
  return 3n * seatFee;
}

/** What a challenge costs while it is open: a panel's fees, and half of a round's price. */
export function federatedBondOf(terms: FederatedTerms): bigint {
  return federatedPanelFeesOf(terms) + terms.roundPrice / 2n;
}

/** What the terms hold of the requester's seed. */
export function seedHash(seed: Hex): Hex {
  return keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32"], [seed])) as Hex;
}
