import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import { readCertificate } from "../../../src/transfer/parcel/keyring/certificate.ts";
import { createKeyring } from "../../../src/transfer/parcel/keyring/create.ts";
import { generateKeyring } from "../../../src/transfer/parcel/keyring/secret.ts";

/** A folder that is removed when the test ends. */
export async function scratch(t: Pick<TestContext, "after">): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ichain-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes `files` (path → content) below a new folder `root/name`. */
export async function makeTree(
  root: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  name = "in",
): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** New keys of an account, a random one unless given, and the party that others seal to. */
export async function newKeyring(account: Address = toHex(randomBytes(20))) {
  const keyring = createKeyring({ secret: await generateKeyring(account) });
  return { ...keyring, party: { account, keys: keyring.publicKeys } };
}

/**
 * The 32-byte v6 fingerprint of a certificate.
 * @throws KEY_MALFORMED
 */
export async function fingerprintOf(openpgpKey: string): Promise<Hex> {
  return `0x${(await readCertificate(openpgpKey)).getFingerprint()}`;
}

/** For `assert.rejects`: an error with one of these codes. */
export function code(...codes: string[]): (error: unknown) => boolean {
  return (error) => codes.includes((error as { code?: string }).code ?? "");
}

/** Limits that every test parcel is within. */
export const roomy = { maxBytes: 1 << 30, maxFiles: 10_000 };
