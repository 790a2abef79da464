import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { fromHex, toHex } from "../../../../src/protocol/bytes.ts";
import { code, fingerprintOf, newKeyring } from "../../../support/parcel/parcels.ts";

test("a sealed message opens for its reader only", async () => {
  const [sender, reader, other] = await Promise.all([newKeyring(), newKeyring(), newKeyring()]);
  for (const length of [0, 1, 150, 65_536]) {
    const message = new Uint8Array(randomBytes(length));
    const sealed = await sender.seal(message, reader.party);
    assert.deepEqual(new Uint8Array(await reader.unseal(sealed)), message);
    await assert.rejects(other.unseal(sealed), code("SEAL_NOT_FOR_US"));
  }
});

test("a capsule reveals the session key to its reader only", async () => {
  const [sender, reader, other] = await Promise.all([newKeyring(), newKeyring(), newKeyring()]);
  const sessionKey = toHex(randomBytes(32));
  const capsule = await sender.wrap(sessionKey, reader.party);
  assert.equal(await reader.unwrap(capsule), sessionKey);
  await assert.rejects(other.unwrap(capsule), code("SEAL_NOT_FOR_US"));
});

test("certificates, sealed messages and capsules stay small and do not name the reader", async () => {
  const [sender, reader] = await Promise.all([newKeyring(), newKeyring()]);
  const { openpgpKey, fingerprint } = reader.publicKeys;
  assert.ok(fromHex(openpgpKey).length <= 500, `${fromHex(openpgpKey).length}`);
  const sealed = await sender.seal(new Uint8Array(150), reader.party);
  assert.ok(fromHex(sealed).length <= 310, `${fromHex(sealed).length}`);
  assert.ok((await sender.wrap(toHex(randomBytes(32)), reader.party)).length <= 110);
  assert.ok(!sealed.includes(fingerprint.slice(2, 18)));
});

test("the fingerprint of a certificate is the one that its keyring publishes", async () => {
  const { openpgpKey, fingerprint } = (await newKeyring()).publicKeys;
  assert.equal(await fingerprintOf(openpgpKey), fingerprint);
});

test("a message longer than 64 KiB is not sealed", async () => {
  const keyring = await newKeyring();
  await assert.rejects(keyring.seal(new Uint8Array(65_537), keyring.party), code("SEAL_TOO_LONG"));
});

test("two accounts derive the same bytes, others than a third account and than for another purpose", async () => {
  const [one, two, other] = await Promise.all([newKeyring(), newKeyring(), newKeyring()]);
  const agreed = await one.agree(two.publicKeys.onionKey, "a");
  assert.match(agreed, /^0x[0-9a-f]{64}$/);
  assert.equal(await two.agree(one.publicKeys.onionKey, "a"), agreed);
  assert.notEqual(await two.agree(one.publicKeys.onionKey, "b"), agreed);
  assert.notEqual(await other.agree(one.publicKeys.onionKey, "a"), agreed);
});

test("an onion key of small order is refused", async () => {
  const keyring = await newKeyring();
  for (const weak of [`0x${"00".repeat(32)}`, `0x01${"00".repeat(31)}`, "0x00"] as const) {
    await assert.rejects(keyring.agree(weak, "a"), code("KEY_UNUSABLE"));
  }
});
