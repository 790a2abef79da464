import { code as DAG_PB } from "@ipld/dag-pb";
import { CID } from "multiformats/cid";
import { code as RAW } from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import { IchainError } from "../errors/error.ts";

/** Longest text that is read as a CID; one of SHA-256 has 46 to 75 characters. */
const MAX_CID_LENGTH = 128;

/**
 * @param text Of version 0 or 1, in any base that the library knows by its prefix.
 * @throws CONTENT_CID_UNKNOWN
 */
export function parseCid(text: string): CID {
  try {
    if (text.length > MAX_CID_LENGTH) throw unknown(text);
    return checkCid(CID.parse(text));
  } catch (cause) {
    throw unknown(text, cause);
  }
}

/**
 * Refuses hashes and codecs that none of our blocks have: an identity hash would be its own content, of any length.
 * @throws CONTENT_CID_UNKNOWN
 */
export function checkCid(cid: CID): CID {
  const known = cid.multihash.code === sha256.code && cid.multihash.digest.length === 32;
  if (!known || (cid.code !== RAW && cid.code !== DAG_PB)) throw unknown(cid.toString());
  return cid.toV1();
}

/** Whether `bytes` are what `cid` names. */
export async function isBlock(cid: CID, bytes: Uint8Array): Promise<boolean> {
  const { digest } = await sha256.digest(bytes);
  return Buffer.compare(digest, cid.multihash.digest) === 0;
}

function unknown(text: string, cause?: unknown): IchainError {
  const shown = text.slice(0, MAX_CID_LENGTH);
  return new IchainError("CONTENT_CID_UNKNOWN", `"${shown}" is not a CID that files have.`, { cause });
}
