import { AbiCoder, keccak256 } from "ethers";
import type { Address, JobId } from "../ids.ts";
import { packTerms } from "./packed-terms.ts";
import type { Terms } from "./terms.ts";

/** `IJobEscrow.Terms`, with rule and schedule packed into one word each. */
const TERMS =
  "tuple(address requester, address provider, address token, uint128 price, uint128 validatorFee, " +
  "uint96 providerStake, uint96 validatorStake, uint256 rule, uint256 schedule, bytes32 specHash, " +
  "bytes32 bundleRoot, bytes32 secretHash)";

/**
 * The id that a job with these terms has: keccak256(abi.encode(chain id, escrow, terms)), as `JobEscrow.jobIdOf`.
 */
export function jobIdOf(chainId: bigint, escrow: Address, terms: Terms): JobId {
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["uint256", "address", TERMS],
    [chainId, escrow, packTerms(terms)],
  );
  return keccak256(encoded) as JobId;
}
