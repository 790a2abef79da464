import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { createParcels } from "../../../src/transfer/parcel/parcels.ts";
import { forge, writeBlob } from "../../support/parcel/forge.ts";
import { makeTree, newKeyring, roomy, scratch } from "../../support/parcel/parcels.ts";

const keyring = await newKeyring();
const parcels = createParcels({ keyring });

/** True when opening is refused with an error of class `untrusted` and leaves no file. */
async function isRefused(
  folder: string,
  request: Omit<Parameters<typeof parcels.open>[0], "into" | "limits">,
) {
  const before = await readdir(folder);
  try {
    await parcels.open({ ...request, into: join(folder, "out"), limits: roomy });
    return false;
  } catch (error) {
    assert.ok(isIchainError(error) && error.class === "untrusted", String(error));
    assert.deepEqual(await readdir(folder), before);
    return true;
  }
}

test("a bit flipped anywhere, a cut, an insertion or a swap of ranges is refused", async (t) => {
  const folder = await scratch(t);
  const root = await makeTree(folder, { "a.txt": "some text", "b/c.bin": randomBytes(9 << 20) });
  const packed = await parcels.pack({ root, paths: ["."], out: join(folder, "blob") });
  const good = await readFile(packed.blob.path);
  const at = fc.oneof(
    fc.nat(good.length - 1),
    fc.nat(100),
    fc.nat(1500).map((back) => good.length - 1 - back),
  );
  const mutation = fc.oneof(
    fc.tuple(at, fc.nat(7)).map(([i, bit]) => {
      const bytes = Buffer.from(good);
      bytes[i]! ^= 1 << bit;
      return bytes;
    }),
    at.map((i) => good.subarray(0, i)),
    at.map((i) => good.subarray(i + 1)),
    fc
      .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 40 }))
      .map(([i, more]) => Buffer.concat([good.subarray(0, i), more, good.subarray(i)])),
    fc
      .tuple(at, at)
      .filter(([i, j]) => good[i] !== good[j])
      .map(([i, j]) => {
        const bytes = Buffer.from(good);
        [bytes[i], bytes[j]] = [bytes[j]!, bytes[i]!];
        return bytes;
      }),
  );
  await fc.assert(
    fc.asyncProperty(mutation, async (bytes) => {
      // With the root of the changed bytes: only the parcel's own checks can refuse it.
      const blob = await writeBlob(join(folder, "mutant"), bytes);
      assert.ok(await isRefused(folder, { blob, sessionKey: packed.sessionKey }));
    }),
    { numRuns: 120 },
  );
});

/** Any JSON value, often one that a manifest's field must not have. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1,
    2 ** 53,
    1e308,
    0.1,
    "",
    "0x",
    "../x",
    "a\0b",
    [],
    {},
    true,
    `0x${"0".repeat(64)}`,
  ),
  fc.jsonValue(),
  fc.string({ unit: "binary" }),
);

test("a signed manifest with any field changed is refused", async (t) => {
  const folder = await scratch(t);
  const files = ["a", "b/c", "d"].map((path) => ({ path, content: Buffer.from(`content of ${path}`) }));
  const leafPath = fc.constantFrom(
    ...["version", "author", "files", "totalBytes", "digest", "ciphertextRoot", "extra"].map((key) => [key]),
    ...["openpgpKey", "fingerprint", "onionKey", "extra"].map((key) => ["author", key]),
    ...["0", "1", "2", "3"].flatMap((i) => [
      ["files", i],
      ...["path", "size", "hash", "executable", "extra"].map((key) => ["files", i, key]),
    ]),
  );
  await fc.assert(
    fc.asyncProperty(leafPath, hostile, async (path, value) => {
      let same = false;
      const forged = await forge(join(folder, "blob"), {
        keyring,
        files,
        manifest: (manifest) => {
          const changed = structuredClone(manifest) as unknown as Record<string, unknown>;
          let holder = changed;
          for (const key of path.slice(0, -1)) {
            holder[key] ??= {};
            holder = holder[key] as Record<string, unknown>;
          }
          holder[path.at(-1)!] = value;
          same = JSON.stringify(changed) === JSON.stringify(manifest);
          return changed;
        },
      });
      // The author may state any onion key.
      if (same || path.join() === "author,onionKey") return;
      assert.ok(await isRefused(folder, forged), `${path.join(".")} = ${JSON.stringify(value)}`);
    }),
    { numRuns: 300 },
  );
});

test("an archive changed anywhere is refused", async (t) => {
  const folder = await scratch(t);
  const files = ["a", "b/c", "é"].map((path) => ({ path, content: randomBytes(600) }));
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), async (place, flip) => {
      const archive = (bytes: Uint8Array) => {
        const copy = Buffer.from(bytes);
        copy[place % copy.length]! ^= flip;
        return copy;
      };
      assert.ok(await isRefused(folder, await forge(join(folder, "blob"), { keyring, files, archive })));
    }),
    { numRuns: 200 },
  );
});
