import { type BaseWallet, Signature, TypedDataEncoder, verifyTypedData } from "ethers";
import type { AbortOptions } from "../async/abort.ts";
import { IchainError } from "../errors/error.ts";
import { type Address, type Hex, sameAddress } from "../protocol/ids.ts";
import type { Offer } from "../protocol/offer.ts";
import type { SignedOffer } from "./indexer/offer-row.ts";
import { type Rpc, RpcRefusal } from "./rpc/rpc.ts";

/** The binding of an account's keys to its wallet (EIP-712), as `IProviderRegistry.publish` has it. */
const TYPES = {
  Keys: [
    { name: "account", type: "address" },
    { name: "fingerprint", type: "bytes32" },
    { name: "onionKey", type: "bytes32" },
  ],
};

/** ERC-1271: what a contract wallet answers when it stands by a signature. */
const STANDS_BY = "0x1626ba7e";

export interface KeyDomain {
  readonly chainId: bigint;
  readonly registry: Address;
}

export function signKeys(
  wallet: BaseWallet,
  { fingerprint, onionKey }: Pick<Offer["keys"], "fingerprint" | "onionKey">,
  domain: KeyDomain,
): Hex {
  const value = { account: wallet.address, fingerprint, onionKey };
  const digest = TypedDataEncoder.hash(eip712(domain), TYPES, value);
  return Signature.from(wallet.signingKey.sign(digest)).serialized as Hex;
}

/**
 * The registry checks the same; this check trusts no node. Throws `OFFER_KEYS_UNTRUSTED`, class
 * `untrusted`.
 */
export async function verifyKeys(
  { offer, signature }: SignedOffer,
  domain: KeyDomain,
  rpc: Rpc,
  options: AbortOptions,
): Promise<void> {
  const { account, keys } = offer;
  const value = { account, fingerprint: keys.fingerprint, onionKey: keys.onionKey };
  if (isSignedBy(account, value, signature, domain)) return;
  if (
    await contractStandsBy(
      account,
      TypedDataEncoder.hash(eip712(domain), TYPES, value),
      signature,
      rpc,
      options,
    )
  ) {
    return;
  }
  throw new IchainError(`The keys in the offer of ${account} are not signed by that account.`, {
    code: "OFFER_KEYS_UNTRUSTED",
    class: "untrusted",
    hint: "Seal nothing to them. The RPC node may be lying: try another one, or choose another provider.",
    details: { account },
  });
}

function isSignedBy(account: Address, value: object, signature: Hex, domain: KeyDomain): boolean {
  try {
    return sameAddress(verifyTypedData(eip712(domain), TYPES, value, signature), account);
  } catch {
    return false;
  }
}

async function contractStandsBy(
  account: Address,
  digest: string,
  signature: Hex,
  rpc: Rpc,
  options: AbortOptions,
): Promise<boolean> {
  const length = (signature.length - 2) / 2;
  const word = (value: number) => value.toString(16).padStart(64, "0");
  const padding = "0".repeat((64 - ((signature.length - 2) % 64)) % 64);
  const data = `${STANDS_BY}${digest.slice(2)}${word(64)}${word(length)}${signature.slice(2)}${padding}`;
  try {
    const answer = await rpc.send("eth_call", [{ to: account, data }, "latest"], options);
    return typeof answer === "string" && answer.startsWith(STANDS_BY);
  } catch (error) {
    if (error instanceof RpcRefusal) return false;
    throw error;
  }
}

function eip712({ chainId, registry }: KeyDomain) {
  return { name: "ichain", version: "1", chainId, verifyingContract: registry };
}
