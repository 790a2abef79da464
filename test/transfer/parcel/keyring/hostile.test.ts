import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import * as openpgp from "openpgp";
import { fromHex, toHex } from "../../../../src/protocol/bytes.ts";
import { type Hex, ZERO_ADDRESS } from "../../../../src/protocol/ids.ts";
import { createKeyring } from "../../../../src/transfer/parcel/keyring/create.ts";
import { generateKeyring } from "../../../../src/transfer/parcel/keyring/secret.ts";
import { code, fingerprintOf, newKeyring } from "../../../support/parcel/parcels.ts";

const keyring = await newKeyring();
const sessionKey = toHex(randomBytes(32));
const v6 = { v6Keys: true, aeadProtect: true };

type KeyOptions = Parameters<typeof openpgp.generateKey>[0];

async function certificate(options: Partial<KeyOptions>): Promise<Hex> {
  const made = await openpgp.generateKey({
    userIDs: [{ name: "x" }],
    ...options,
    format: "object",
  } as KeyOptions & { format: "object" });
  return toHex(made.publicKey.write());
}

test("certificates that would weaken, slow down or confuse the sender are refused", async () => {
  const good = fromHex(keyring.publicKeys.openpgpKey);
  const cases: Record<string, string> = {
    "a v4 key": await certificate({ type: "curve25519" }),
    "a v4 key as gpg makes it": await certificate({ type: "ecc", curve: "ed25519Legacy" }),
    "an RSA key in v6": await certificate({ type: "rsa", rsaBits: 2048, config: v6 }),
    "a curve448 key": await certificate({ type: "curve448", config: v6 }),
    "two subkeys": await certificate({ type: "curve25519", subkeys: [{}, {}], config: v6 }),
    "a subkey that only signs": await certificate({
      type: "curve25519",
      subkeys: [{ sign: true }],
      config: v6,
    }),
    "a name of 2 KiB": await certificate({
      type: "curve25519",
      userIDs: [{ name: "n".repeat(2048) }],
      config: v6,
    }),
    "two keys": toHex(Buffer.concat([good, good])),
    "more behind it": toHex(Buffer.concat([good, Buffer.of(0)])),
    "a key cut short": toHex(good.subarray(0, good.length - 1)),
    nothing: "0x",
    text: "hello",
    "random bytes": toHex(randomBytes(434)),
  };
  for (const [what, key] of Object.entries(cases)) {
    await assert.rejects(fingerprintOf(key as Hex), code("KEY_MALFORMED"), what);
    const party = { ...keyring.party, keys: { ...keyring.publicKeys, openpgpKey: key as Hex } };
    await assert.rejects(keyring.seal(new Uint8Array(8), party), code("KEY_MALFORMED"), what);
    await assert.rejects(keyring.wrap(sessionKey, party), code("KEY_MALFORMED"), what);
  }
});

test("a private key is refused as a certificate", async () => {
  const { privateKey } = await openpgp.generateKey({
    type: "curve25519",
    userIDs: [],
    config: v6,
    format: "object",
  });
  await assert.rejects(fingerprintOf(toHex(privateKey.write())), code("KEY_MALFORMED"));
});

test("a certificate with any byte changed is refused", async () => {
  const good = fromHex(keyring.publicKeys.openpgpKey);
  await fc.assert(
    fc.asyncProperty(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const key = Uint8Array.from(good);
      key[at]! ^= flip;
      const fingerprint = await fingerprintOf(toHex(key)).catch((error) => {
        assert.ok(code("KEY_MALFORMED")(error), String(error));
      });
      // Bytes that are not signed (a form of length, a hint) may differ; the key must not.
      if (fingerprint !== undefined) assert.equal(fingerprint, keyring.publicKeys.fingerprint);
    }),
    { numRuns: 300 },
  );
});

async function sealedBy(config: openpgp.PartialConfig, more: object = {}): Promise<Hex> {
  const reader = await openpgp.readKey({ binaryKey: fromHex(keyring.publicKeys.openpgpKey) });
  const message = await openpgp.createMessage({ binary: new Uint8Array(100) });
  const sealed = await openpgp.encrypt({
    message,
    encryptionKeys: reader,
    format: "binary",
    config,
    ...more,
  });
  return toHex(sealed as Uint8Array);
}

test("messages in an older format, or with other packets than a seal has, are not opened", async () => {
  const plain = await openpgp.encrypt({
    message: await openpgp.createMessage({ binary: new Uint8Array(100) }),
    passwords: ["x"],
    format: "binary",
  });
  const good = fromHex(await keyring.seal(new Uint8Array(100), keyring.party));
  const capsule = await keyring.wrap(sessionKey, keyring.party);
  const cases: Record<string, string> = {
    "a password message": toHex(plain as Uint8Array),
    "a password besides the key": await sealedBy(v6, { passwords: ["x"] }),
    "a second sealed message behind": toHex(Buffer.concat([good, good])),
    "a capsule": toHex(capsule),
    "a literal in the clear": "0xcb0762000000000061",
    "70,000 bytes": toHex(randomBytes(70_000)),
    nothing: "0x",
    text: "sealed",
  };
  for (const [what, sealed] of Object.entries(cases)) {
    await assert.rejects(keyring.unseal(sealed as Hex), code("SEAL_NOT_FOR_US"), what);
  }
});

test("SEIPD version 1 is refused although openpgp.js would open it", async () => {
  const secret = await generateKeyring(ZERO_ADDRESS);
  const own = createKeyring({ secret });
  const reader = await openpgp.readKey({ binaryKey: fromHex(secret.openpgp.publicKey) });
  const session = { data: new Uint8Array(randomBytes(32)), algorithm: "aes256" as const };
  const body = await openpgp.encrypt({
    message: await openpgp.createMessage({ binary: new Uint8Array(100) }),
    sessionKey: session,
    format: "binary",
    config: { aeadProtect: false },
  });
  const capsule = await openpgp.encryptSessionKey({ ...session, encryptionKeys: reader, format: "binary" });
  const sealed = Buffer.concat([capsule as Uint8Array, body as Uint8Array]);

  const decryptionKeys = await openpgp.readPrivateKey({ binaryKey: fromHex(secret.openpgp.privateKey) });
  const message = await openpgp.readMessage({ binaryMessage: new Uint8Array(sealed) });
  const { data } = await openpgp.decrypt({ message, decryptionKeys, format: "binary" });
  assert.equal(data.length, 100);
  await assert.rejects(own.unseal(toHex(sealed)), code("SEAL_NOT_FOR_US"));
  await assert.rejects(own.unwrap(capsule as Uint8Array), code("SEAL_NOT_FOR_US"));
});

test("a compressed sealed message is refused without inflating it", async () => {
  const reader = await openpgp.readKey({ binaryKey: fromHex(keyring.publicKeys.openpgpKey) });
  const sealed = (await openpgp.encrypt({
    message: await openpgp.createMessage({ binary: new Uint8Array(50 << 20) }),
    encryptionKeys: reader,
    format: "binary",
    config: { ...v6, preferredCompressionAlgorithm: openpgp.enums.compression.zlib },
  })) as Uint8Array;
  const before = process.memoryUsage().rss;
  await assert.rejects(keyring.unseal(toHex(sealed)), code("SEAL_NOT_FOR_US"));
  assert.ok(process.memoryUsage().rss - before < 64 << 20);
});

test("a sealed message or capsule with a changed byte never opens to another content", async () => {
  const message = new Uint8Array(100);
  const sealed = fromHex(await keyring.seal(message, keyring.party));
  const capsule = await keyring.wrap(sessionKey, keyring.party);
  const change = (bytes: Uint8Array, at: number, flip: number) => {
    const copy = Uint8Array.from(bytes);
    copy[at % copy.length]! ^= flip;
    return copy;
  };
  /** A packet header has two forms (RFC 9580, 4.2) that are not authenticated: 0xc1 and 0x84 begin the same packet. */
  const opensAs = async (opening: Promise<unknown>, wanted: unknown) => {
    const opened = await opening.catch((error: unknown) => {
      assert.ok(code("SEAL_NOT_FOR_US")(error), String(error));
      return wanted;
    });
    assert.deepEqual(opened, wanted);
  };
  await fc.assert(
    fc.asyncProperty(fc.nat(10_000), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      await opensAs(keyring.unseal(toHex(change(sealed, at, flip))), message);
      await opensAs(keyring.unwrap(change(capsule, at, flip)), sessionKey);
    }),
    { numRuns: 150, examples: [[0, 69]] },
  );
  for (const at of [sealed.length - 1, sealed.length - 60])
    await assert.rejects(keyring.unseal(toHex(change(sealed, at, 1))), code("SEAL_NOT_FOR_US"));
  await assert.rejects(keyring.unwrap(change(capsule, capsule.length - 1, 1)), code("SEAL_NOT_FOR_US"));
});

test("a capsule holds exactly one key of 32 bytes", async () => {
  const reader = await openpgp.readKey({ binaryKey: fromHex(keyring.publicKeys.openpgpKey) });
  const short = await openpgp.encryptSessionKey({
    data: new Uint8Array(16),
    algorithm: "aes128",
    aeadAlgorithm: "gcm",
    encryptionKeys: reader,
    format: "binary",
    config: v6,
  });
  const good = await keyring.wrap(sessionKey, keyring.party);
  const bad = [short as Uint8Array, Buffer.concat([good, good]), randomBytes(2000), new Uint8Array(0)];
  for (const capsule of bad) await assert.rejects(keyring.unwrap(capsule), code("SEAL_NOT_FOR_US"));
});
