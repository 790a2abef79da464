import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { zstdDecompressSync } from "node:zlib";
import * as openpgp from "openpgp";
import { extract } from "tar-stream";
import { fromHex } from "../../../../src/protocol/bytes.ts";
import { decodeFooter, FOOTER_BYTES } from "../../../../src/transfer/parcel/format/footer.ts";
import { openMessage, readFrame, sealMessage } from "../../../../src/transfer/parcel/format/seipd.ts";
import { createParcels } from "../../../../src/transfer/parcel/parcels.ts";
import { makeTree, newKeyring, scratch } from "../../../support/parcel/parcels.ts";

const run = promisify(execFile);

const tree = {
  "big.bin": randomBytes(6 << 20),
  "log.txt": Buffer.from("line\n".repeat(1000)),
  "日本/long name.txt": Buffer.from("x"),
  [`${"p".repeat(150)}/q`]: Buffer.from("y"),
};

/** Decrypts a packed parcel with openpgp.js alone; returns the archive and the manifest's text. */
async function withOpenpgp(path: string, sessionKey: Uint8Array, author: Uint8Array) {
  const blob = await readFile(path);
  const footer = decodeFooter(blob.subarray(blob.length - FOOTER_BYTES), blob.length);
  const sessionKeys = { data: sessionKey, algorithm: "aes256" as const };
  const frames: Uint8Array[] = [];
  for (let at = 0; at < footer.offset; ) {
    const length = readFrame(blob.subarray(at));
    const message = await openpgp.readMessage({
      binaryMessage: new Uint8Array(blob.subarray(at, at + length)),
    });
    frames.push((await openpgp.decrypt({ message, sessionKeys, format: "binary" })).data);
    at += length;
  }
  const message = await openpgp.readMessage({
    binaryMessage: new Uint8Array(blob.subarray(footer.offset, footer.offset + footer.length)),
  });
  const verificationKeys = await openpgp.readKey({ binaryKey: author });
  const manifest = await openpgp.decrypt({ message, sessionKeys, verificationKeys, expectSigned: true });
  return {
    archive: Buffer.concat(frames.map((frame) => zstdDecompressSync(frame))),
    frames,
    manifest: manifest.data,
  };
}

test("openpgp.js decrypts every message, and tar-stream and GNU tar read the archive", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, tree);
  const keyring = await newKeyring();
  const packed = await createParcels({ keyring }).pack({ root, paths: ["."], out: join(folder, "blob") });
  const author = fromHex(keyring.publicKeys.openpgpKey);
  const { archive, frames, manifest } = await withOpenpgp(
    packed.blob.path,
    fromHex(packed.sessionKey),
    author,
  );

  assert.equal(JSON.parse(manifest).digest, packed.digest);
  const names: string[] = [];
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    assert.deepEqual(Buffer.concat(parts), tree[entry.header.name as keyof typeof tree], entry.header.name);
    names.push(entry.header.name);
  }
  assert.deepEqual(names.sort(), Object.keys(tree).sort());

  await writeFile(join(folder, "a.tar.zst"), Buffer.concat(frames));
  await writeFile(join(folder, "a.tar"), archive);
  const { stdout } = await run("tar", ["--utc", "-tvf", join(folder, "a.tar")], {
    env: { LC_ALL: "C.UTF-8" },
  });
  assert.equal(stdout.trim().split("\n").length, Object.keys(tree).length);
});

test("messages that openpgp.js encrypts with our parameters are opened", async () => {
  const pgp = openpgp;
  for (const length of [1, 4096, (4 << 20) - 16, (4 << 20) + 1, 9_000_000]) {
    const binary = new Uint8Array(randomBytes(length));
    const data = new Uint8Array(randomBytes(32));
    const sealed = await pgp.encrypt({
      message: await pgp.createMessage({ binary }),
      sessionKey: { data, algorithm: "aes256", aeadAlgorithm: "gcm" },
      format: "binary",
      config: { aeadProtect: true, preferredAEADAlgorithm: pgp.enums.aead.gcm, aeadChunkSizeByte: 16 },
    });
    // It writes partial body lengths; a packet in a parcel has a single one, so the body gets a new header.
    const body = bodyOf(sealed as Uint8Array);
    const frame = Buffer.alloc(6);
    frame.writeUInt16BE(0xd2ff);
    frame.writeUInt32BE(body.length, 2);
    const inner = openMessage(data, Buffer.concat([frame, body]));
    assert.deepEqual(new Uint8Array(inner.subarray(inner.length - length)), binary);
  }
});

test("a message opens to what was sealed, with any length and any parts", () => {
  const key = randomBytes(32);
  for (const length of [1, 100, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, (8 << 20) + 5]) {
    const body = randomBytes(length);
    const cut = Math.floor(length / 3);
    const sealed = Buffer.concat(sealMessage(key, [body.subarray(0, cut), body.subarray(cut)]));
    assert.equal(Buffer.compare(openMessage(key, sealed), body), 0);
  }
});

/** The body of a single packet with lengths of any form (RFC 9580, 4.2.1). */
function bodyOf(packet: Uint8Array): Uint8Array {
  const bytes = Buffer.from(packet);
  const parts: Uint8Array[] = [];
  for (let at = 1; at < bytes.length; ) {
    const first = bytes[at]!;
    const [length, octets] =
      first < 192
        ? [first, 1]
        : first < 224
          ? [bytes.readUInt16BE(at) - (192 << 8) + 192, 2]
          : first < 255
            ? [1 << (first & 31), 1]
            : [bytes.readUInt32BE(at + 1), 5];
    parts.push(bytes.subarray(at + octets, at + octets + length));
    at += octets + length;
  }
  return Buffer.concat(parts);
}
