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

/** What a contract wallet returns for a valid signature (ERC-1271). */
const ERC1271_VALID = "0x1626ba7e";

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
 * Checks the signature that binds an offer's keys to its account. The registry checks it too, but a node may lie about
 * what the registry holds.
 * @throws OFFER_KEYS_UNTRUSTED
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
    await contractAccepts(
      account,
      TypedDataEncoder.hash(eip712(domain), TYPES, value),
      signature,
      rpc,
      options,
    )
  ) {
    return;
  }
  throw new IchainError(
    "OFFER_KEYS_UNTRUSTED",
    `The keys in the offer of ${account} are not signed by that account.`,
    { details: { account } },
  );
}

function isSignedBy(account: Address, value: object, signature: Hex, domain: KeyDomain): boolean {
  try {
    return sameAddress(verifyTypedData(eip712(domain), TYPES, value, signature), account);
  } catch {
    return false;
  }
}

async function contractAccepts(
  account: Address,
  digest: string,
  signature: Hex,
  rpc: Rpc,
  options: AbortOptions,
): Promise<boolean> {
  const length = (signature.length - 2) / 2;
  const word = (value: number) => value.toString(16).padStart(64, "0");
  const padding = "0".repeat((64 - ((signature.length - 2) % 64)) % 64);
  const data = `${ERC1271_VALID}${digest.slice(2)}${word(64)}${word(length)}${signature.slice(2)}${padding}`;
  try {
    const answer = await rpc.send("eth_call", [{ to: account, data }, "latest"], options);
    return typeof answer === "string" && answer.startsWith(ERC1271_VALID);
  } catch (error) {
    if (error instanceof RpcRefusal) return false;
    throw error;
  }
}

function eip712({ chainId, registry }: KeyDomain) {
  return { name: "ichain", version: "1", chainId, verifyingContract: registry };
}
