import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import * as openpgp from "openpgp";
import { fromHex, toHex } from "../../../../src/protocol/bytes.ts";
import type { Address, Hex } from "../../../../src/protocol/ids.ts";
import type { Party } from "../../../../src/protocol/offer.ts";
import { walletNotation } from "../../../../src/transfer/parcel/keyring/binding.ts";
import { code, newKeyring } from "../../../support/parcel/parcels.ts";

const own = await newKeyring();
const account: Address = "0x52908400098527886E0F7030069857D2E4169EE7";
const other: Address = `0x${"22".repeat(20)}`;
const v6 = { v6Keys: true, aeadProtect: true };
const NOTATION_DATA = 20; // RFC 9580, 5.2.3.7

type Options = Partial<Parameters<typeof openpgp.generateKey>[0]>;

async function makeKey(notations: ReturnType<typeof walletNotation>[], options: Options = {}) {
  return openpgp.generateKey({
    type: "curve25519",
    userIDs: [],
    signatureNotations: notations,
    config: v6,
    ...options,
    format: "object",
  } as Parameters<typeof openpgp.generateKey>[0] & { format: "object" });
}

/** An offer by `account` with these keys, which may be another party's. */
function offered(key: openpgp.Key): Party {
  const keys = {
    openpgpKey: toHex(key.write()),
    fingerprint: `0x${key.getFingerprint()}` as Hex,
    onionKey: toHex(randomBytes(32)),
  };
  return { account, keys };
}

/** The same key with changed packets. */
function repacked(key: openpgp.Key, change: (packets: openpgp.SignaturePacket[]) => unknown[]): openpgp.Key {
  const list = new openpgp.PacketList<openpgp.AnyPacket>();
  list.push(...(change([...key.toPacketList()] as openpgp.SignaturePacket[]) as openpgp.AnyPacket[]));
  return { write: () => list.write(), getFingerprint: () => key.getFingerprint() } as openpgp.Key;
}

/** The same notation in the unhashed subpackets of the self-signature, which are not signed. */
function unsignedNotation(signature: openpgp.SignaturePacket): openpgp.SignaturePacket {
  const { name, value } = walletNotation(account);
  const body = [0x80, 0, 0, 0, 0, name.length, 0, value.length, ...Buffer.from(name), ...value];
  const internal = signature as unknown as { unhashedSubpackets: object[] };
  internal.unhashedSubpackets.push({ type: NOTATION_DATA, critical: false, body: Uint8Array.from(body) });
  return signature;
}

/** Asserts that nothing is checked, sealed or wrapped for the party. */
async function refused(party: Party, wanted: string): Promise<void> {
  await assert.rejects(own.check(party), code(wanted));
  await assert.rejects(own.seal(new Uint8Array(8), party), code(wanted));
  await assert.rejects(own.wrap(toHex(randomBytes(32)), party), code(wanted));
}

describe("keys that are bound to their account", () => {
  it("are sealed to, with the address in upper or lower case", async () => {
    const { publicKey } = await makeKey([walletNotation(account)]);
    const party = offered(publicKey);
    for (const written of [account, account.toLowerCase() as Address]) {
      assert.ok(await own.seal(new Uint8Array(8), { ...party, account: written }));
    }
  });

  it("name the wallet in a notation that other programs can read", async () => {
    const key = await openpgp.readKey({ binaryKey: fromHex(own.publicKeys.openpgpKey) });
    const [, signature] = [...key.toPacketList()] as openpgp.SignaturePacket[];
    assert.equal(signature?.signatureType, openpgp.enums.signature.key);
    const notations = signature.rawNotations.map(({ name, value }) => [name, Buffer.from(value).toString()]);
    assert.deepEqual(notations, [["wallet@ichain", own.party.account]]);
  });
});

it("the helpers that change packets leave an unchanged certificate valid", async () => {
  const { publicKey } = await makeKey([walletNotation(account)]);
  const same = repacked(publicKey, ([key, signature, ...rest]) => [key, rehashed(signature!), ...rest]);
  assert.deepEqual(same.write(), publicKey.write());
  await own.check(offered(same));
});

describe("nothing is sealed to a certificate", () => {
  it("of another wallet", async () => {
    const { publicKey } = await makeKey([walletNotation(other)]);
    await refused(offered(publicKey), "KEY_NOT_BOUND");
  });

  it("that names no wallet", async () => {
    await refused(offered((await makeKey([])).publicKey), "KEY_NOT_BOUND");
  });

  it("that is not the one whose fingerprint its account signed", async () => {
    const [signed, sent] = [
      await makeKey([walletNotation(account)]),
      await makeKey([walletNotation(account)]),
    ];
    const { keys } = offered(sent.publicKey);
    const fingerprint: Hex = `0x${signed.publicKey.getFingerprint()}`;
    await refused({ account, keys: { ...keys, fingerprint } }, "KEY_NOT_BOUND");
  });

  it("that names two wallets, its account first or last", async () => {
    for (const order of [
      [account, other],
      [other, account],
      [account, account],
    ] as const) {
      const { publicKey } = await makeKey(order.map(walletNotation));
      await refused(offered(publicKey), "KEY_NOT_BOUND");
    }
  });

  it("whose wallet is only in unsigned subpackets", async () => {
    const { publicKey } = await makeKey([]);
    const forged = repacked(publicKey, ([key, signature, ...rest]) => [
      key,
      unsignedNotation(signature!),
      ...rest,
    ]);
    await refused(offered(forged), "KEY_NOT_BOUND");
  });

  it("whose wallet is named behind the subkey only", async () => {
    const [named, plain] = [await makeKey([walletNotation(account)]), await makeKey([])];
    const [, signature] = [...named.publicKey.toPacketList()];
    const forged = repacked(plain.publicKey, ([key, self, subkey]) => [key, self, subkey, signature]);
    await refused(offered(forged), "KEY_MALFORMED");
  });

  it("whose notation in the self-signature was replaced", async () => {
    const { publicKey } = await makeKey([walletNotation(other)]);
    const forged = repacked(publicKey, ([key, signature, ...rest]) => {
      (signature as unknown as { rawNotations: unknown[] }).rawNotations = [walletNotation(account)];
      (signature as unknown as { signatureData: null }).signatureData = null;
      return [key, rehashed(signature!), ...rest];
    });
    await refused(offered(forged), "KEY_MALFORMED");
  });

  it("with the self-signature of another key, or with two of them", async () => {
    const [mine, theirs] = [await makeKey([]), await makeKey([walletNotation(account)])];
    const [, foreign] = [...theirs.publicKey.toPacketList()];
    const swapped = repacked(mine.publicKey, ([key, , ...rest]) => [key, foreign, ...rest]);
    const both = repacked(mine.publicKey, ([key, self, ...rest]) => [key, self, foreign, ...rest]);
    for (const forged of [swapped, both]) await refused(offered(forged), "KEY_MALFORMED");
  });

  it("that has expired, is not valid yet, or was revoked", async () => {
    const notations = [walletNotation(account)];
    const day = 86_400_000;
    const expired = await makeKey(notations, {
      date: new Date(Date.now() - 3 * day),
      keyExpirationTime: 86_400,
    });
    const early = await makeKey(notations, { date: new Date(Date.now() + 3 * day) });
    const { privateKey } = await makeKey(notations);
    const revoked = await openpgp.revokeKey({ key: privateKey, format: "object", config: v6 });
    for (const { publicKey } of [expired, early, revoked]) await refused(offered(publicKey), "KEY_MALFORMED");
  });
});

/** Serialised from its fields again, with the old signature value. */
function rehashed(signature: openpgp.SignaturePacket): openpgp.SignaturePacket {
  const internal = signature as unknown as { signatureData: Uint8Array; writeHashedSubPackets(): Uint8Array };
  const { version, signatureType, publicKeyAlgorithm, hashAlgorithm } = signature;
  const head = [version, signatureType, publicKeyAlgorithm, hashAlgorithm].map(Number);
  internal.signatureData = Uint8Array.from([...head, ...internal.writeHashedSubPackets()]);
  return signature;
}
