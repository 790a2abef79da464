import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { Blob } from "../../../src/ports/transport.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import { filesDigest } from "../../../src/protocol/parcel/digest.ts";
import type { Manifest } from "../../../src/protocol/parcel/manifest.ts";
import { comparePaths } from "../../../src/protocol/parcel/paths.ts";
import {
  ARCHIVE_END,
  entryHeader,
  paddingOf,
  SLICE_BYTES,
} from "../../../src/transfer/parcel/format/archive.ts";
import { encodeFooter } from "../../../src/transfer/parcel/format/footer.ts";
import { sealSlice } from "../../../src/transfer/parcel/format/messages.ts";
import { sealMessage } from "../../../src/transfer/parcel/format/seipd.ts";
import type { AuthorKeyring } from "../../../src/transfer/parcel/keyring/create.ts";
import { LeafHasher } from "../../../src/transfer/parcel/leaves/hasher.ts";

type FileIn = { path: string; content: Uint8Array; executable?: boolean };

const ONE_FILE: readonly FileIn[] = [{ path: "a.txt", content: Buffer.from("hello") }];

/** Changes that a dishonest author may make at each stage; later stages are computed from the changed earlier ones. */
export interface Forgery {
  readonly keyring: AuthorKeyring;
  readonly files?: readonly FileIn[];
  /** Files are sorted into archive order unless this is false. */
  readonly sort?: boolean;
  readonly archive?: (archive: Uint8Array) => Uint8Array;
  /** Encrypted data messages, in order. */
  readonly messages?: (messages: Uint8Array[], archive: Uint8Array) => Uint8Array[] | Promise<Uint8Array[]>;
  readonly manifest?: (manifest: Manifest) => unknown;
  /** The manifest as bytes, before it is signed. */
  readonly text?: (json: string) => Uint8Array;
  readonly sign?: (content: Uint8Array) => Promise<Uint8Array>;
  readonly blob?: (blob: Buffer) => Uint8Array;
  readonly sessionKey?: Hex;
}

/** Builds a parcel with the author's valid signature over the changed manifest. */
export async function forge(path: string, forgery: Forgery): Promise<{ blob: Blob; sessionKey: Hex }> {
  const { keyring } = forgery;
  const sessionKey = forgery.sessionKey ?? toHex(randomBytes(32));
  const key = fromHex(sessionKey);
  const files = [...(forgery.files ?? ONE_FILE)];
  if (forgery.sort ?? true) files.sort((a, b) => comparePaths(a.path, b.path));
  const records = files.map(({ path, content, executable = false }) => ({
    path,
    size: content.length,
    hash: toHex(createHash("sha256").update(content).digest()),
    executable,
  }));

  const archive = Buffer.concat([
    ...records.flatMap((record, i) => [
      entryHeader(record),
      files[i]!.content,
      Buffer.alloc(paddingOf(record.size)),
    ]),
    Buffer.alloc(ARCHIVE_END),
  ]);
  const data = await sealArchive(key, forgery.archive?.(archive) ?? archive);
  const messages = (await forgery.messages?.(data, archive)) ?? data;
  const leaves = new LeafHasher();
  for (const message of messages) leaves.update(message);

  const manifest: Manifest = {
    version: 1,
    author: keyring.publicKeys,
    files: records,
    totalBytes: records.reduce((sum, file) => sum + file.size, 0),
    digest: filesDigest(records),
    ciphertextRoot: leaves.root(),
  };
  const json = JSON.stringify(forgery.manifest?.(manifest) ?? manifest);
  const content = forgery.text?.(json) ?? new TextEncoder().encode(json);
  const sealed = Buffer.concat(sealMessage(key, [await (forgery.sign ?? keyring.sign)(content)]));
  const offset = messages.reduce((sum, message) => sum + message.length, 0);
  const whole = Buffer.concat([...messages, sealed, encodeFooter({ offset, length: sealed.length })]);
  return { blob: await writeBlob(path, forgery.blob?.(whole) ?? whole), sessionKey };
}

/** The archive in encrypted slices, as `writeData` makes them. */
export async function sealArchive(key: Uint8Array, archive: Uint8Array): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for (let i = 0; i * SLICE_BYTES < archive.length; i++) {
    const slice = archive.subarray(i * SLICE_BYTES, (i + 1) * SLICE_BYTES);
    messages.push(Buffer.concat(await sealSlice(key, i, slice)));
  }
  return messages;
}

/** Writes `bytes` as a blob with their own root, as a transport would deliver them. */
export async function writeBlob(path: string, bytes: Uint8Array): Promise<Blob> {
  await writeFile(path, bytes);
  const leaves = new LeafHasher();
  leaves.update(bytes);
  return { path, size: bytes.length, root: leaves.root() };
}
