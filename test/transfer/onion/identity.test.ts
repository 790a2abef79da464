import assert from "node:assert/strict";
import { test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { base32, onionAddress } from "../../../src/transfer/onion/address.ts";
import {
  checkOnionIdentity,
  clientPublicKey,
  meetingOnion,
  newOnionIdentity,
} from "../../../src/transfer/onion/identity.ts";

test("base32 has the alphabet of RFC 4648 in lower case, without padding", () => {
  assert.equal(base32(Buffer.from("")), "");
  assert.equal(base32(Buffer.from("fo")), "mzxq");
  assert.equal(base32(Buffer.from("foobar")), "mzxw6ytboi");
});

test("an onion address is derived from the key as in rend-spec-v3", () => {
  // The Tor Project's own website.
  const address = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid";
  const key = "d1b38b83a83b3ed918c5bb69dd444ad56bc8d5835a914de73447474e5f02591b";
  assert.equal(onionAddress(Buffer.from(key, "hex")), address);
});

test("the public key of a client is the one of RFC 7748, section 6.1", () => {
  const secret = "0x77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  const wanted = "0x8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
  assert.equal(clientPublicKey(secret), wanted);
});

test("each identity is new, has address and token, and passes the check of stored ones", () => {
  const [one, two] = [newOnionIdentity(), newOnionIdentity()];
  assert.notEqual(one.endpoint.address, two.endpoint.address);
  assert.match(one.endpoint.token, /^0x[0-9a-f]{32}$/);
  assert.match(one.endpoint.address, /^[a-z2-7]{55}d$/);
  checkOnionIdentity(one);
  const broken = { ...one, secret: "ED25519-V3:x\r\nSIGNAL SHUTDOWN" };
  assert.throws(
    () => checkOnionIdentity(broken),
    (error) => isIchainError(error, "HOST_IDENTITY_BAD"),
  );
});

test("equal seeds derive the same onion, different seeds different ones", () => {
  const [one, same, other] = (["a1", "a1", "a2"] as const).map((byte) =>
    meetingOnion(`0x${byte.repeat(32)}`),
  );
  assert.deepEqual(one, same);
  assert.notEqual(one!.endpoint.address, other!.endpoint.address);
  assert.notEqual(one!.endpoint.token, other!.endpoint.token);
  checkOnionIdentity(one!);
  assert.match(one!.endpoint.address, /^[a-z2-7]{55}d$/);
});
