import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Blob } from "../../../src/ports/transport.ts";
import { toHex } from "../../../src/protocol/bytes.ts";
import { PIECE_BYTES } from "../../../src/protocol/limits.ts";
import { leafHash, merkleRoot } from "../../../src/transfer/merkle.ts";

/** A folder that is removed when the test ends. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ichain-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export type TestBlob = Blob & { readonly content: Buffer; readonly leaves: Buffer[] };

/** A blob of random bytes on disk. */
export async function makeBlob(folder: string, size: number, name = "blob"): Promise<TestBlob> {
  const content = randomBytes(size);
  const leaves: Buffer[] = [];
  for (let at = 0; at < size; at += PIECE_BYTES)
    leaves.push(Buffer.from(leafHash(content.subarray(at, at + PIECE_BYTES))));
  const path = join(folder, name);
  await writeFile(path, content);
  return { path, size, root: toHex(merkleRoot(leaves)), content, leaves };
}
