import {
  type BaseWallet,
  Signature,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  verifyTypedData,
} from "ethers";
import { type Address, type Hex, sameAddress } from "../protocol/ids.ts";
import { evidenceOf, type Notice, noticeTypes, type SignedNotice } from "../protocol/task/notice.ts";

/** Notices are signed for one market: a chain and its escrow. */
export interface NoticeDomain {
  readonly chainId: bigint;
  readonly escrow: Address;
}

export function signNotice(wallet: BaseWallet, notice: Notice, domain: NoticeDomain): SignedNotice {
  return { notice, signature: signTyped(wallet, eip712(domain), noticeTypes, signedPart(notice)) };
}

/** The wallet's EIP-712 signature. */
export function signTyped(
  wallet: BaseWallet,
  domain: TypedDataDomain,
  types: Record<string, TypedDataField[]>,
  value: Record<string, unknown>,
): Hex {
  const digest = TypedDataEncoder.hash(domain, types, value);
  return Signature.from(wallet.signingKey.sign(digest)).serialized as Hex;
}

/** True when `account` signed exactly this notice. */
export function isSignedNotice(
  { notice, signature }: SignedNotice,
  account: Address,
  domain: NoticeDomain,
): boolean {
  try {
    const signer = verifyTypedData(eip712(domain), noticeTypes, signedPart(notice), signature);
    return sameAddress(signer, account);
  } catch {
    return false;
  }
}

function signedPart(notice: Notice) {
  const { jobId, kind, code, reason, at } = notice;
  return { jobId, kind, code, reason, at, evidence: evidenceOf(notice) };
}

function eip712({ chainId, escrow }: NoticeDomain) {
  return { name: "ichain", version: "1", chainId, verifyingContract: escrow };
}
