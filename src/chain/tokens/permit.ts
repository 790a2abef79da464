import { type BaseWallet, type TypedDataDomain, TypedDataEncoder } from "ethers";
import type { AbortOptions } from "../../async/abort.ts";
import type { Permit } from "../../ports/market.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import type { Rpc } from "../rpc/rpc.ts";
import { askText, askWord } from "./read.ts";

/** EIP-2612. */
const PERMIT = {
  Permit: [
    { name: "owner", type: "address" },
    { name: "spender", type: "address" },
    { name: "value", type: "uint256" },
    { name: "nonce", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

/** Versions of the domain that tokens without `version()` have. */
const USUAL_VERSIONS = ["1", "2"];

export interface PermitRequest {
  readonly token: Address;
  readonly spender: Address;
  readonly amount: bigint;
  /** Unix seconds. */
  readonly deadline: number;
}

/**
 * The wallet's permit for `spender`; undefined when the token has none. It is signed only for a domain that names this
 * token and this chain: a token that answers with another's domain would otherwise get a permit for the other.
 */
export async function signPermit(
  rpc: Rpc,
  wallet: BaseWallet,
  chainId: bigint,
  { token, spender, amount, deadline }: PermitRequest,
  options: AbortOptions,
): Promise<Permit | undefined> {
  const owner = wallet.address as Address;
  const [nonce, separator, name, version] = await Promise.all([
    askWord(rpc, token, "nonces", [owner], options),
    askWord(rpc, token, "DOMAIN_SEPARATOR", [], options),
    askText(rpc, token, "name", options),
    askText(rpc, token, "version", options),
  ]);
  if (nonce === undefined || separator === undefined || name === undefined) return undefined;
  const versions = version === undefined ? USUAL_VERSIONS : [version, ...USUAL_VERSIONS];
  const domain = versions
    .map((one): TypedDataDomain => ({ name, version: one, chainId, verifyingContract: token }))
    .find((one) => BigInt(TypedDataEncoder.hashDomain(one)) === separator);
  if (domain === undefined) return undefined;
  const value = { owner, spender, value: amount, nonce, deadline };
  const { v, r, s } = wallet.signingKey.sign(TypedDataEncoder.hash(domain, PERMIT, value));
  return { deadline, v, r: r as Hex, s: s as Hex };
}
