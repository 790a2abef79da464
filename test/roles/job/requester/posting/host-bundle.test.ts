import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { endpointFor } from "../../../../../src/protocol/parcel/locator.ts";
import { hostBundle, placeBundle } from "../../../../../src/roles/job/requester/posting/host-bundle.ts";
import { parseAddress } from "../../../../../src/transfer/direct/direct-dialer.ts";
import { startParties } from "../../../../support/market/parties.ts";
import { makeBlob } from "../../../../support/parcel/blob.ts";
import { code } from "../../../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(120_000) };
const published = ({ kind, text }: { kind: string; text: string }) =>
  kind === "end" && /published/.test(text);

test("a bundle's address answers before there is a bundle, and then serves it and takes notices", async (context) => {
  const { requester, provider } = await startParties(context);
  const offer = (await requester.market.offer(provider.account, waits))!;
  const place = await placeBundle(requester, { provider: offer, validators: [] }, waits);
  await using hosted = hostBundle(requester, place, waits);
  const blob = await makeBlob(requester.home, 3_000_000);
  const endpoint = endpointFor(place.identity.endpoint, provider.keyring.publicKeys.fingerprint);
  const { root } = blob;
  const fetching = { endpoint, root, path: join(provider.home, "bundle"), maxBytes: blob.size };
  const leaving = { endpoint, root, notice: Buffer.from("a notice") };
  const taken: string[] = [];

  hosted.publish();
  await requester.tells(published);
  await assert.rejects(provider.transport.fetch(fetching, waits), code("TRANSFER_NOT_HOSTED"));
  await assert.rejects(provider.transport.sendNotice(leaving, waits), code("TRANSFER_NOT_HOSTED"));
  for (const name of ["first", "second"]) {
    const live = await hosted.serve([blob], async (_root, notice) => void taken.push(`${name}: ${notice}`));
    assert.deepEqual(live.endpoint, place.identity.endpoint, "one hosting, at the address that was drawn");
    await provider.transport.sendNotice(leaving, waits);
  }
  assert.equal((await provider.transport.fetch(fetching, waits)).root, root);
  assert.deepEqual(taken, ["first: a notice", "second: a notice"]);
});

test("an address that could not be published is published once the bundle is there", async (context) => {
  const { requester, provider } = await startParties(context);
  const offer = (await requester.market.offer(provider.account, waits))!;
  const place = await placeBundle(requester, { provider: offer, validators: [] }, waits);
  const stranger = createServer().listen(parseAddress(place.identity.endpoint.address));
  await once(stranger, "listening");
  await using hosted = hostBundle(requester, place, waits);
  hosted.publish();
  await requester.tells(({ kind }) => kind === "fail");
  stranger.close();
  await once(stranger, "close");
  const blob = await makeBlob(requester.home, 1000);
  await hosted.serve([blob], async () => undefined);
  const endpoint = endpointFor(place.identity.endpoint, provider.keyring.publicKeys.fingerprint);
  const fetching = { endpoint, root: blob.root, path: join(provider.home, "bundle"), maxBytes: blob.size };
  assert.equal((await provider.transport.fetch(fetching, waits)).size, 1000);
});

test("a stranger's keys are refused before anything is published", async (context) => {
  const { requester, provider } = await startParties(context);
  const offer = (await requester.market.offer(provider.account, waits))!;
  const gone = { ...offer, account: requester.account };
  await assert.rejects(placeBundle(requester, { provider: gone, validators: [] }, waits), code("OFFER_GONE"));
});
