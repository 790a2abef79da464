import { type BaseWallet, Signature, TypedDataEncoder, verifyTypedData } from "ethers";
import { type Address, type Hex, sameAddress } from "../protocol/ids.ts";
import { evidenceOf, type Notice, noticeTypes, type SignedNotice } from "../protocol/task/notice.ts";

/** Notices are signed for one market: a chain and its escrow. */
export interface NoticeDomain {
  readonly chainId: bigint;
  readonly escrow: Address;
}

export function signNotice(wallet: BaseWallet, notice: Notice, domain: NoticeDomain): SignedNotice {
  const digest = TypedDataEncoder.hash(eip712(domain), noticeTypes, signedPart(notice));
  return { notice, signature: Signature.from(wallet.signingKey.sign(digest)).serialized as Hex };
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
