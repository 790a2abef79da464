import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { toHex } from "../../../src/protocol/bytes.ts";
import { endpointFor } from "../../../src/protocol/parcel/locator.ts";
import { awaitCapsule } from "../../../src/roles/shared/await-capsule.ts";
import { createDirectTransport } from "../../../src/transfer/direct/direct-transport.ts";
import { makeBlob, temporaryFolder } from "../../support/parcel/blob.ts";
import { newKeyring } from "../../support/parcel/parcels.ts";

test("a validator that the host has not admitted yet waits until it is", async (t) => {
  const transport = createDirectTransport({ listenHost: "127.0.0.1" });
  t.after(() => transport.stop());
  const keyring = await newKeyring();
  const { fingerprint } = keyring.publicKeys;
  const blob = await makeBlob(await temporaryFolder(t), 1000);
  const identity = await transport.newIdentity();
  const hosting = await transport.host({ identity, blobs: [blob], readers: [] });
  const endpoint = endpointFor(hosting.endpoint, fingerprint);
  const refused = Promise.withResolvers<unknown>();
  const watched = {
    ...transport,
    fetchCapsule: (...args: Parameters<typeof transport.fetchCapsule>) =>
      transport.fetchCapsule(...args).catch((error: unknown) => {
        refused.resolve(error);
        throw error;
      }),
  };
  const waits = { signal: AbortSignal.timeout(60_000) };
  const waiting = awaitCapsule({ transport: watched, keyring }, endpoint, blob.root, waits);
  assert.equal(((await refused.promise) as { code?: string }).code, "TRANSFER_FORBIDDEN");
  const sessionKey = toHex(randomBytes(32));
  hosting.putCapsule(blob.root, fingerprint, await keyring.wrap(sessionKey, keyring.party));
  await hosting.admit({ ...keyring.publicKeys, token: endpoint.token });
  assert.equal(await waiting, sessionKey);
});
