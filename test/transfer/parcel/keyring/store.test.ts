import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { generateKeyring } from "../../../../src/transfer/parcel/keyring/secret.ts";
import { loadKeyring, openKeyring, saveKeyring } from "../../../../src/transfer/parcel/keyring/store.ts";
import { code, scratch } from "../../../support/parcels.ts";

const passphrase = "correct horse";

test("a keyring saved is the keyring loaded, readable by its owner only", async (t) => {
  const folder = await scratch(t);
  const path = join(folder, "home", "keyring");
  const secret = await generateKeyring();
  await saveKeyring(path, secret, { passphrase });
  assert.deepEqual(await loadKeyring(path, { passphrase }), secret);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(folder, "home")), ["keyring"]);
  const text = await readFile(path, "utf8");
  assert.ok(!text.includes(secret.openpgp.privateKey) && !text.includes(secret.openpgp.fingerprint.slice(2)));
});

test("a wrong passphrase, a missing file and a damaged one are told apart", async (t) => {
  const path = join(await scratch(t), "keyring");
  await assert.rejects(loadKeyring(path, { passphrase }), code("KEYRING_MISSING"));
  await saveKeyring(path, await generateKeyring(), { passphrase });
  await assert.rejects(loadKeyring(path, { passphrase: "wrong" }), code("KEYRING_WRONG_PASSPHRASE"));
  const file = JSON.parse(await readFile(path, "utf8"));
  await writeFile(path, JSON.stringify({ ...file, kdf: { ...file.kdf, N: 2 ** 30 } }));
  await assert.rejects(loadKeyring(path, { passphrase }), code("KEYRING_DAMAGED"));
});

test("opening makes a keyring once, also when several processes are first", async (t) => {
  const path = join(await scratch(t), "keyring");
  const opened = await Promise.all([1, 2, 3].map(() => openKeyring(path, { passphrase })));
  const again = await openKeyring(path, { passphrase });
  for (const secret of opened) assert.deepEqual(secret, again);
});
