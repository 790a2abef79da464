import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readPrivateKey, reformatKey } from "openpgp";
import { fromHex, toHex } from "../../../../src/protocol/bytes.ts";
import type { Address } from "../../../../src/protocol/ids.ts";
import { createKeyring } from "../../../../src/transfer/parcel/keyring/create.ts";
import { generateKeyring, type KeyringSecret } from "../../../../src/transfer/parcel/keyring/secret.ts";
import { loadKeyring, openKeyring, saveKeyring } from "../../../../src/transfer/parcel/keyring/store.ts";
import { code, newKeyring, scratch } from "../../../support/parcel/parcels.ts";

const passphrase = "correct horse";
const account: Address = `0x${"5a".repeat(20)}`;

test("a saved keyring loads unchanged, and only its owner can read the file", async (t) => {
  const folder = await scratch(t);
  const path = join(folder, "home", "keyring");
  const secret = await generateKeyring(account);
  await saveKeyring(path, secret, { passphrase });
  assert.deepEqual(await loadKeyring(path, { passphrase }), secret);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(folder, "home")), ["keyring"]);
  const text = await readFile(path, "utf8");
  assert.ok(!text.includes(secret.openpgp.privateKey) && !text.includes(secret.openpgp.fingerprint.slice(2)));
});

test("a wrong passphrase, a missing file and a damaged one give different errors", async (t) => {
  const path = join(await scratch(t), "keyring");
  await assert.rejects(loadKeyring(path, { passphrase }), code("KEYRING_MISSING"));
  await saveKeyring(path, await generateKeyring(account), { passphrase });
  await assert.rejects(loadKeyring(path, { passphrase: "wrong" }), code("KEYRING_WRONG_PASSPHRASE"));
  const file = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...file, kdf: { ...file.kdf, N: 2 ** 30 } }));
  await assert.rejects(loadKeyring(path, { passphrase }), code("KEYRING_DAMAGED"));
});

test("a keyring of a newer version is not taken for a damaged one, and is left as it is", async (t) => {
  const path = join(await scratch(t), "keyring");
  const newer = JSON.stringify({ version: 2, sealed: { by: "another way" } });
  await writeFile(path, newer);
  await assert.rejects(openKeyring(path, { passphrase, account }), code("STATE_TOO_NEW"));
  assert.equal(await readFile(path, "utf8"), newer);
});

test("opening a keyring of an older version adds the wallet and keeps the keys", async (t) => {
  const path = join(await scratch(t), "keyring");
  const old = await withoutWallet(await generateKeyring(account));
  await saveKeyring(path, old, { passphrase });
  const party = ({ openpgp, onion }: KeyringSecret) => ({
    account,
    keys: { openpgpKey: openpgp.publicKey, fingerprint: openpgp.fingerprint, onionKey: onion.publicKey },
  });
  const sender = await newKeyring();
  await assert.rejects(sender.check(party(old)), code("KEY_NOT_BOUND"));
  const opened = await openKeyring(path, { passphrase, account });
  await sender.check(party(opened));
  assert.equal(opened.openpgp.fingerprint, old.openpgp.fingerprint);
  assert.deepEqual(opened.onion, old.onion);
  assert.deepEqual(await loadKeyring(path, { passphrase }), opened);
  const sealedBefore = await sender.seal(new Uint8Array([7]), party(opened));
  assert.deepEqual([...(await createKeyring({ secret: old }).unseal(sealedBefore))], [7]);
});

test("a keyring of another wallet is not opened", async (t) => {
  const path = join(await scratch(t), "keyring");
  const theirs = await openKeyring(path, { passphrase, account });
  const other: Address = `0x${"5b".repeat(20)}`;
  await assert.rejects(openKeyring(path, { passphrase, account: other }), code("KEYRING_OF_ANOTHER"));
  assert.deepEqual(await loadKeyring(path, { passphrase }), theirs);
});

/** The keyring as versions made it whose certificates named no wallet. */
async function withoutWallet(secret: KeyringSecret): Promise<KeyringSecret> {
  const privateKey = await readPrivateKey({ binaryKey: fromHex(secret.openpgp.privateKey) });
  const made = await reformatKey({
    privateKey,
    userIDs: [],
    format: "object",
    config: { aeadProtect: true },
  });
  const keys = { privateKey: toHex(made.privateKey.write()), publicKey: toHex(made.publicKey.write()) };
  return { ...secret, openpgp: { ...secret.openpgp, ...keys } };
}

test("concurrent first openings create a single keyring", async (t) => {
  const path = join(await scratch(t), "keyring");
  const opened = await Promise.all([1, 2, 3].map(() => openKeyring(path, { passphrase, account })));
  const again = await openKeyring(path, { passphrase, account });
  for (const secret of opened) assert.deepEqual(secret, again);
});
