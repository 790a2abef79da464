import { keccak256 } from "ethers";
import type { Address, JobId } from "../ids.ts";
import { packTerms } from "./packed-terms.ts";
import type { Terms } from "./terms.ts";

/**
 * The id that a job with these terms has: keccak256(abi.encode(chain id, escrow, terms)), as `JobEscrow.jobIdOf`. Each
 * value takes a word of its own, which is written here because an index reads many terms, and ethers makes its coders
 * again for each.
 * @throws TERMS_OUT_OF_RANGE for a value that its field on the chain cannot hold
 */
export function jobIdOf(chainId: bigint, escrow: Address, terms: Terms): JobId {
  const { requester, provider, token, price, validatorFee, providerStake, validatorStake, ...packed } =
    packTerms(terms);
  const accounts = [requester, provider, token].map(BigInt);
  const amounts = [price, validatorFee, providerStake, validatorStake];
  const { rule, schedule, specHash, bundleRoot, secretHash } = packed;
  const hashes = [specHash, bundleRoot, secretHash].map(BigInt);
  const words = [chainId, BigInt(escrow), ...accounts, ...amounts, rule, schedule, ...hashes];
  const view = new DataView(new ArrayBuffer(32 * words.length));
  for (const [i, word] of words.entries())
    for (let part = 0; part < 4; part++) {
      const shifted = word >> BigInt(64 * (3 - part));
      view.setBigUint64(32 * i + 8 * part, BigInt.asUintN(64, shifted));
    }
  return keccak256(new Uint8Array(view.buffer)) as JobId;
}
