import { IchainError } from "../../../errors/error.ts";
import type { OpenLimits } from "../../../ports/parcels.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { filesDigest } from "../../../protocol/parcel/digest.ts";
import { type Manifest, manifestSchema } from "../../../protocol/parcel/manifest.ts";
import { checkPaths } from "../../../protocol/parcel/paths.ts";
import { inputTooLarge, parcelFault } from "../errors.ts";
import { readCertificate } from "../keyring/certificate.ts";
import type { AuthorKeyring } from "../keyring/create.ts";
import { modern, openpgp } from "../keyring/openpgp.ts";
import { inArchiveOrder } from "./archive.ts";
import { MAX_MANIFEST_BYTES, MAX_NOTE_BYTES } from "./footer.ts";
import { openMessage, sealMessage } from "./seipd.ts";

// RFC 9580, 5: packet tags
const ONE_PASS_SIGNATURE = 4;
const LITERAL = 11;

/**
 * Signs `manifest` (one-pass signature; RFC 9580, 5.4) and encrypts it under the 32-byte session key.
 * @throws PARCEL_INPUT_TOO_LARGE beyond `MAX_NOTE_BYTES` or `MAX_MANIFEST_BYTES`
 */
export async function sealManifest(
  manifest: Manifest,
  sessionKey: Uint8Array,
  keyring: AuthorKeyring,
): Promise<Uint8Array[]> {
  if (noteBytes(manifest.note) > MAX_NOTE_BYTES) throw inputTooLarge("the note is longer than 256 KiB");
  const signed = await keyring.sign(new TextEncoder().encode(JSON.stringify(manifest)));
  const sealed = sealMessage(sessionKey, [signed]);
  const length = sealed.reduce((sum, part) => sum + part.length, 0);
  if (length > MAX_MANIFEST_BYTES) throw inputTooLarge("the list of files is longer than 32 MiB");
  return sealed;
}

/**
 * Decrypts a manifest and checks its signature by the author that it names (who must have the fingerprint `author`,
 * when given), its schema, its paths, its sums and the reader's limits.
 * @throws PARCEL_MALFORMED, PARCEL_CORRUPT, PARCEL_UNTRUSTED, PARCEL_TOO_LARGE, PARCEL_UNSAFE_PATH
 */
export async function openManifest(
  message: Uint8Array,
  sessionKey: Uint8Array,
  expected: { author?: Hex | undefined; limits: OpenLimits },
): Promise<Manifest> {
  const { content, verify } = await readSigned(openMessage(sessionKey, message));
  const manifest = parse(content);
  await verify(manifest.author.openpgpKey, manifest.author.fingerprint);
  if (expected.author !== undefined && expected.author.toLowerCase() !== manifest.author.fingerprint) {
    throw parcelFault("PARCEL_UNTRUSTED", "The parcel is signed by someone other than expected.");
  }
  if (noteBytes(manifest.note) > MAX_NOTE_BYTES) {
    throw parcelFault("PARCEL_TOO_LARGE", "The parcel's note is too large.");
  }
  checkLimits(manifest, expected.limits);
  checkSums(manifest);
  return manifest;
}

async function readSigned(signed: Uint8Array) {
  const pgp = await openpgp();
  const config = { ...modern(pgp), maxDecompressedMessageSize: 1 };
  try {
    // Checked before parsing: any other packet could contain compressed or encrypted data.
    if (((signed[0] ?? 0) & 0x3f) !== ONE_PASS_SIGNATURE) throw untrusted();
    const message = await pgp.readMessage({ binaryMessage: signed, config });
    const tags = [...message.packets].map((packet) => (packet.constructor as { tag?: number }).tag);
    if (tags.length > 3 || tags[0] !== ONE_PASS_SIGNATURE || tags[1] !== LITERAL) throw untrusted();
    const content = message.getLiteralData();
    if (content === null) throw untrusted();
    const verify = async (openpgpKey: string, fingerprint: string) => {
      const author = await readCertificate(openpgpKey);
      if (`0x${author.getFingerprint()}` !== fingerprint) throw untrusted();
      const result = await pgp.verify({
        message,
        verificationKeys: author,
        expectSigned: true,
        format: "binary",
        date: null as unknown as Date, // no check of time: the author's clock may differ, and the chain has the deadlines
        config,
      });
      if (result.signatures.length !== 1) throw untrusted();
    };
    return {
      content,
      verify: (key: string, fingerprint: string) => verify(key, fingerprint).catch(rethrowUntrusted),
    };
  } catch (cause) {
    return rethrowUntrusted(cause);
  }
}

function parse(content: Uint8Array): Manifest {
  try {
    return manifestSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content)));
  } catch (cause) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel's manifest does not follow its schema.", cause);
  }
}

/** Length of a note as JSON, bytes; infinite for one nested too deeply to be written as JSON. */
function noteBytes(note: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(note) ?? "");
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function checkLimits(manifest: Manifest, limits: OpenLimits): void {
  if (manifest.files.length > limits.maxFiles) {
    throw parcelFault("PARCEL_TOO_LARGE", `The parcel has more files than the ${limits.maxFiles} allowed.`);
  }
  const total = manifest.files.reduce((sum, file) => sum + file.size, 0);
  if (total > limits.maxBytes) {
    throw parcelFault("PARCEL_TOO_LARGE", `The parcel holds more than the ${limits.maxBytes} bytes allowed.`);
  }
  if (total !== manifest.totalBytes) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel's manifest does not add up.");
  }
}

function checkSums(manifest: Manifest): void {
  const { folders } = checkPaths(manifest.files.map((file) => file.path));
  if (folders > Math.max(1000, 4 * manifest.files.length)) {
    throw parcelFault("PARCEL_TOO_LARGE", "The parcel needs more folders than its files justify.");
  }
  if (!inArchiveOrder(manifest.files)) {
    throw parcelFault("PARCEL_MALFORMED", "The parcel's manifest is not in order.");
  }
  if (filesDigest(manifest.files) !== manifest.digest) {
    throw parcelFault("PARCEL_CORRUPT", "The parcel's digest does not match its list of files.");
  }
}

function untrusted(cause?: unknown): IchainError {
  return parcelFault("PARCEL_UNTRUSTED", "The parcel has no valid signature by the author it names.", cause);
}

function rethrowUntrusted(cause: unknown): never {
  throw cause instanceof IchainError && cause.code.startsWith("PARCEL_") ? cause : untrusted(cause);
}
