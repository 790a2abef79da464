import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import { constants, createZstdCompress, zstdCompressSync } from "node:zlib";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import { filesDigest } from "../../../src/protocol/parcel/digest.ts";
import type { Manifest } from "../../../src/protocol/parcel/manifest.ts";
import { packetHeader, sealMessage } from "../../../src/transfer/parcel/format/seipd.ts";
import type { AuthorKeyring } from "../../../src/transfer/parcel/keyring/create.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { type Forgery, forge } from "../../support/parcel/forge.ts";
import { code, newKeyring, roomy, scratch } from "../../support/parcel/parcels.ts";

const keyring = await newKeyring();
const other = await newKeyring();
const parcels = createParcels({ keyring: other });
const text = (content: string) => Buffer.from(content);
const slices = randomBytes(10 << 20); // three slices

/** Opens a forged parcel in a folder of its own; asserts that it is refused and that no file is left. */
async function refused(
  t: Parameters<typeof scratch>[0],
  forgery: Omit<Forgery, "keyring"> & { keyring?: AuthorKeyring },
  codes: string[],
  limits = roomy,
): Promise<void> {
  const folder = await scratch(t);
  const inside = join(folder, "inside");
  await mkdir(inside);
  const forged = await forge(join(folder, "blob"), { keyring, ...forgery });
  const before = await readFile(join(folder, "blob"));
  await assert.rejects(parcels.open({ ...forged, into: join(inside, "out"), limits }), (error) => {
    assert.equal((error as { class?: string }).class, "untrusted", String(error));
    return code(...codes)(error) || assert.fail(`${(error as { code?: string }).code}: ${error}`);
  });
  assert.deepEqual(await readdir(folder), ["blob", "inside"]);
  assert.deepEqual(await readdir(inside), []);
  assert.deepEqual(await readFile(join(folder, "blob")), before);
}

test("a parcel from the forging helper opens when nothing is forged", async (t) => {
  const folder = await scratch(t);
  const files = [
    { path: "big", content: slices },
    { path: "x/run", content: text("hi"), executable: true },
  ];
  const forged = await forge(join(folder, "blob"), { keyring, files });
  await parcels.open({ ...forged, into: join(folder, "out"), limits: roomy });
  assert.deepEqual(await readFile(join(folder, "out/big")), slices);
  assert.ok((await lstat(join(folder, "out/x/run"))).mode & 0o100);
});

const unsafe: Record<string, string[]> = {
  "a parent segment": ["../evil"],
  "a parent segment further in": ["a/../../evil"],
  "an absolute path": ["/tmp/evil"],
  "a drive letter": ["C:/evil"],
  "a backslash": ["..\\evil"],
  "an empty segment": ["a//b"],
  "a trailing slash": ["a/"],
  "a dot segment": ["./a"],
  "a NUL": ["a\0b"],
  "a line feed": ["a\nb"],
  "an escape sequence": ["\u001b[2Jx"],
  "a bidirectional override": ["exe\u202etxt.a"],
  "a lone surrogate": ["a\ud800b"],
  "a name that is not in form C": ["e\u0301"],
  "a segment of 256 bytes": ["n".repeat(256)],
  "a segment of 256 bytes in fewer characters": ["é".repeat(128)],
  "more than 31 folders": [`${"d/".repeat(32)}x`],
  "the same path twice": ["same", "same"],
  "paths that differ in case only": ["File", "file"],
  "paths that differ in case only, beyond ASCII": ["É", "é"],
  "a file that is a folder too": ["a", "a/b"],
  "a file that is a folder too, in other case": ["A", "a/b"],
  "a file that is a folder too, with names between": ["a", "a-b", "a.c", "a/b"],
};
for (const [what, paths] of Object.entries(unsafe)) {
  test(`a manifest with ${what} is refused`, (t) =>
    refused(t, { files: paths.map((path) => ({ path, content: text("x") })) }, ["PARCEL_UNSAFE_PATH"]));
}

const change = (more: object) => (manifest: Manifest) => ({ ...manifest, ...more });
const changeFile = (more: object) => (manifest: Manifest) => ({
  ...manifest,
  files: manifest.files.map((file) => ({ ...file, ...more })),
});
const malformed: Record<string, Omit<Forgery, "keyring">> = {
  "another version": { manifest: change({ version: 2 }) },
  "an unknown field": { manifest: change({ extra: 1 }) },
  "no files": { manifest: change({ files: undefined }) },
  "a negative size": { manifest: changeFile({ size: -1 }) },
  "a fractional size": { manifest: changeFile({ size: 0.5 }) },
  "a size beyond 1 TiB": { manifest: changeFile({ size: 2 ** 41 }) },
  "a size that is a string": { manifest: changeFile({ size: "5" }) },
  "a hash that is too short": { manifest: changeFile({ hash: "0x00" }) },
  "a link target": { manifest: changeFile({ linkname: "/etc/passwd" }) },
  "a path over 1024 characters": { manifest: changeFile({ path: "a/".repeat(600) }) },
  "an empty path": { manifest: changeFile({ path: "" }) },
  "more than 100,000 files": {
    manifest: ({ files, ...rest }) => ({ ...rest, files: Array.from({ length: 100_001 }, () => files[0]) }),
  },
  "a total that does not add up": { manifest: change({ totalBytes: 6 }) },
  "bytes that are not UTF-8": { text: (json) => Buffer.from(json.replace("a.txt", "a\u00fftxt"), "latin1") },
  "bytes that are not JSON": { text: () => text("{") },
  "nesting that exhausts the stack": { text: () => text("[".repeat(200_000)) },
  "a prototype": { text: (json) => text(json.replace('"version"', '"__proto__":{"x":1},"version"')) },
  "files out of order": {
    sort: false,
    files: [
      { path: "b", content: text("b") },
      { path: "a", content: text("a") },
    ],
  },
};
for (const [what, forgery] of Object.entries(malformed)) {
  test(`a manifest with ${what} is refused`, (t) => refused(t, forgery, ["PARCEL_MALFORMED"]));
}

test("a manifest whose digest is not that of its files is refused", (t) =>
  refused(t, { manifest: change({ digest: toHex(randomBytes(32)) }) }, ["PARCEL_CORRUPT"]));

test("more files or bytes than the reader allows are refused before anything is written", async (t) => {
  const files = ["a", "b", "c"].map((path) => ({ path, content: text("12345") }));
  await refused(t, { files }, ["PARCEL_TOO_LARGE"], { maxBytes: 1000, maxFiles: 2 });
  await refused(t, { files }, ["PARCEL_TOO_LARGE"], { maxBytes: 14, maxFiles: 3 });
});

test("a note that is too large or nested too deeply is refused", async (t) => {
  await refused(t, { manifest: change({ note: "n".repeat(300_000) }) }, ["PARCEL_TOO_LARGE"]);
  const deep = (json: string) =>
    text(json.replace('"version"', `"note":${"[".repeat(50_000)}${"]".repeat(50_000)},"version"`));
  await refused(t, { text: deep }, ["PARCEL_TOO_LARGE", "PARCEL_MALFORMED"]);
});

test("a session key that is not 32 bytes is refused", async (t) => {
  const folder = await scratch(t);
  const forged = await forge(join(folder, "blob"), { keyring });
  for (const key of ["0x", "0x00", "secret", toHex(randomBytes(33))]) {
    const request = { ...forged, sessionKey: key as `0x${string}`, into: join(folder, "out"), limits: roomy };
    await assert.rejects(parcels.open(request), code("PARCEL_CORRUPT"));
  }
});

test("more folders than the files justify are refused", (t) => {
  const files = Array.from({ length: 60 }, (_, i) => ({
    path: `${Array.from({ length: 30 }, (_, j) => `${i}-${j}`).join("/")}/x`,
    content: text(""),
  }));
  return refused(t, { files }, ["PARCEL_TOO_LARGE"]);
});

const archives: Record<string, (archive: Uint8Array) => Uint8Array> = {
  "a symbolic link instead of a file": patchHeader(156, "2"),
  "a hard link instead of a file": patchHeader(156, "1"),
  "a character device instead of a file": patchHeader(156, "3"),
  "a FIFO instead of a file": patchHeader(156, "6"),
  "a GNU sparse file": patchHeader(156, "S"),
  "a setuid bit": patchHeader(100, "0004755"),
  "another name than the manifest": patchHeader(0, "../../evil"),
  "another size than the manifest": patchHeader(124, "77777777777"),
  "an entry that is not in the manifest": (archive) => Buffer.concat([archive.subarray(0, 512), archive]),
  "a pax header of 8 GiB": (archive) => {
    const header = Buffer.from(archive.subarray(0, 512));
    header.write("x", 156);
    header.write("77777777777\0", 124);
    return Buffer.concat([header, archive]);
  },
  "padding that is not zero": (archive) => {
    const copy = Buffer.from(archive);
    copy[512 + 100] = 1;
    return copy;
  },
  "more after its end": (archive) => Buffer.concat([archive, Buffer.alloc(512)]),
  "an end too soon": (archive) => archive.subarray(0, archive.length - 512),
  "nothing in it": () => new Uint8Array(0),
};
for (const [what, archive] of Object.entries(archives)) {
  test(`an archive with ${what} is refused`, (t) => refused(t, { archive }, ["PARCEL_MALFORMED"]));
}

test("content with another hash than the manifest's is refused", (t) =>
  refused(t, { manifest: (m) => withHash(m, toHex(randomBytes(32))) }, ["PARCEL_CORRUPT"]));

test("a zstd bomb inflates to no more than the manifest declares", async (t) => {
  for (const MiB of [1, 600]) {
    const bomb = literal(0, await frameOf(Array.from({ length: MiB }, () => Buffer.alloc(1 << 20))));
    const before = process.resourceUsage().maxRSS;
    await refused(t, { sessionKey, messages: () => [bomb] }, ["PARCEL_MALFORMED"]);
    assert.ok(process.resourceUsage().maxRSS - before < 100 * 1024, "KiB more at the peak");
  }
});

const frames: Record<string, (archive: Uint8Array) => Promise<Uint8Array>> = {
  "asks for a window of 128 MiB": (archive) =>
    frameOf([archive.subarray(0, 100), archive.subarray(100)], { [constants.ZSTD_c_windowLog]: 27 }),
  "hides a second frame": async (archive) =>
    Buffer.concat([zstdCompressSync(archive), zstdCompressSync(archive)]),
  "has bytes behind it": async (archive) => Buffer.concat([zstdCompressSync(archive), randomBytes(50)]),
  "is cut short": async (archive) => zstdCompressSync(archive).subarray(0, -5),
  "inflates to less": async (archive) => zstdCompressSync(archive.subarray(1)),
  "is not a zstd frame": async (archive) => archive,
};
for (const [what, frame] of Object.entries(frames)) {
  test(`a message whose frame ${what} is refused`, (t) => {
    const messages = async (_: Uint8Array[], archive: Uint8Array) => [literal(0, await frame(archive))];
    return refused(t, { sessionKey, messages }, ["PARCEL_MALFORMED"]);
  });
}

test("a message with the right content under another number is refused", (t) => {
  const messages = (_: Uint8Array[], archive: Uint8Array) => [literal(1, zstdCompressSync(archive))];
  return refused(t, { sessionKey, messages }, ["PARCEL_CORRUPT"]);
});

const orders: Record<string, (messages: Uint8Array[]) => Uint8Array[]> = {
  reordered: ([a, b, c]) => [b!, a!, c!],
  repeated: ([a, , c]) => [a!, a!, c!],
  "left out in the middle": ([a, , c]) => [a!, c!],
  "left out at the end": ([a, b]) => [a!, b!],
};
for (const [what, messages] of Object.entries(orders)) {
  test(`messages ${what} are refused although the author signed that order`, (t) =>
    refused(t, { files: [{ path: "big", content: slices }], messages }, [
      "PARCEL_CORRUPT",
      "PARCEL_MALFORMED",
    ]));
}

test("a message beyond the last slice of the archive is refused", (t) => {
  const messages = ([a, b, c]: Uint8Array[]) => [a!, b!, c!, c!];
  return refused(t, { files: [{ path: "big", content: slices }], messages }, ["PARCEL_MALFORMED"]);
});

test("messages reordered, spliced or replaced after signing are refused", async (t) => {
  const files = [{ path: "big", content: slices }];
  const kept: Uint8Array[] = [];
  const keep = (messages: Uint8Array[]) => {
    kept.splice(0, kept.length, ...messages);
    return messages;
  };
  const swap = (blob: Buffer) => {
    const [a, b] = [kept[0]!.length, kept[1]!.length];
    return Buffer.concat([blob.subarray(a, a + b), blob.subarray(0, a), blob.subarray(a + b)]);
  };
  await refused(t, { files, messages: keep, blob: swap }, ["PARCEL_CORRUPT", "PARCEL_MALFORMED"]);
  // A message from the same place in another parcel of the same files under the same key: only the signed root differs.
  const folder = await scratch(t);
  await forge(join(folder, "first"), { keyring, files, sessionKey, messages: keep });
  const first = kept[0]!;
  const splice = (blob: Buffer) => Buffer.concat([first, blob.subarray(first.length)]);
  await refused(t, { files, sessionKey, blob: splice }, ["PARCEL_CORRUPT"]);
});

test("bytes that belong to neither data, manifest nor footer are refused", async (t) => {
  const gap = (blob: Buffer) => Buffer.concat([blob.subarray(0, -24), Buffer.alloc(100), blob.subarray(-24)]);
  await refused(t, { blob: gap }, ["PARCEL_MALFORMED"]);
  await refused(t, { blob: (blob) => Buffer.concat([Buffer.alloc(100), blob]) }, ["PARCEL_MALFORMED"]);
});

test("a manifest of another parcel under the same key is refused", async (t) => {
  const folder = await scratch(t);
  const files = [{ path: "a", content: text("one") }];
  const donor = await forge(join(folder, "donor"), { keyring, files, sessionKey });
  const bytes = await readFile(donor.blob.path);
  const blob = (own: Buffer) => {
    const [ownAt, donorAt] = [own, bytes].map((b) => Number(b.readBigUInt64BE(b.length - 8)));
    const tail = Buffer.concat([bytes.subarray(donorAt)]);
    tail.writeBigUInt64BE(BigInt(ownAt!), tail.length - 8);
    return Buffer.concat([own.subarray(0, ownAt), tail]);
  };
  await refused(t, { files: [{ path: "a", content: text("one") }], sessionKey, blob }, ["PARCEL_CORRUPT"]);
});

test("a manifest that is not signed, or signed by another, is refused", async (t) => {
  const unsigned = async (content: Uint8Array) => Buffer.concat([literalPacket(content)]);
  await refused(t, { sign: unsigned }, ["PARCEL_UNTRUSTED"]);
  await refused(t, { sign: other.sign }, ["PARCEL_UNTRUSTED"]);
  await refused(t, { manifest: (m) => ({ ...m, author: other.publicKeys }) }, ["PARCEL_UNTRUSTED"]);
  const mixed = { ...keyring.publicKeys, fingerprint: other.publicKeys.fingerprint };
  await refused(t, { manifest: (m) => ({ ...m, author: mixed }) }, ["PARCEL_UNTRUSTED"]);
  const flipped = async (content: Uint8Array) => {
    const signed = Buffer.from(await keyring.sign(content));
    const at = signed.indexOf("a.txt");
    signed.write("b.txt", at);
    return signed;
  };
  await refused(t, { sign: flipped }, ["PARCEL_UNTRUSTED"]);
});

test("a parcel by another author than expected is refused", async (t) => {
  const folder = await scratch(t);
  const forged = await forge(join(folder, "blob"), { keyring });
  const into = join(folder, "out");
  const wrong = { ...forged, into, limits: roomy, author: other.publicKeys.fingerprint };
  await assert.rejects(parcels.open(wrong), code("PARCEL_UNTRUSTED"));
  await parcels.open({ ...wrong, author: keyring.publicKeys.fingerprint });
});

test("a wrong session key and a blob with another root than announced are refused", async (t) => {
  const folder = await scratch(t);
  const forged = await forge(join(folder, "blob"), { keyring });
  const into = join(folder, "out");
  const request = { ...forged, into, limits: roomy };
  await assert.rejects(
    parcels.open({ ...request, sessionKey: toHex(randomBytes(32)) }),
    code("PARCEL_CORRUPT"),
  );
  const blob = { ...forged.blob, root: toHex(randomBytes(32)) };
  await assert.rejects(parcels.open({ ...request, blob }), code("PARCEL_CORRUPT"));
  assert.deepEqual(await readdir(folder), ["blob"]);
});

const sessionKey = toHex(randomBytes(32));

function literal(index: number, frame: Uint8Array): Buffer {
  const header = Buffer.alloc(14);
  header.write("b\x08", 0);
  header.write(index.toString(16).padStart(8, "0"), 2);
  const packet = [packetHeader(0xcb, 14 + frame.length), header, frame];
  return Buffer.concat(sealMessage(fromHex(sessionKey), packet));
}

/** One zstd frame of unknown length, as it is made when written in more than one part. */
async function frameOf(parts: Iterable<Uint8Array>, params: Record<number, number> = {}): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const part of Readable.from(parts).pipe(createZstdCompress({ params }))) out.push(part);
  const frame = Buffer.concat(out);
  // Node ends such a stream with an empty frame.
  const nothing = Buffer.from("28b52ffd2000010000", "hex");
  return frame.subarray(-nothing.length).equals(nothing) ? frame.subarray(0, -nothing.length) : frame;
}

function literalPacket(content: Uint8Array): Buffer {
  return Buffer.concat([packetHeader(0xcb, 6 + content.length), Buffer.from("b\0\0\0\0\0"), content]);
}

function patchHeader(at: number, value: string): (archive: Uint8Array) => Uint8Array {
  return (archive) => {
    const copy = Buffer.from(archive);
    copy.write(value, at);
    return copy;
  };
}

function withHash(manifest: Manifest, hash: `0x${string}`): Manifest {
  const files = manifest.files.map((file) => ({ ...file, hash }));
  return { ...manifest, files, digest: filesDigest(files) };
}
