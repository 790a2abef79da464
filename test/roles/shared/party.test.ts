import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Market } from "../../../src/ports/market.ts";
import type { Keyring } from "../../../src/ports/parcels.ts";
import { ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import { partyOf, trustedParty } from "../../../src/roles/shared/party.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { code, newKeyring } from "../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(120_000) };

describe("the keys of an account", () => {
  let chain: TestChain;
  let [honest, impostor, reader] = [] as unknown as [Market, Market, Market];
  let own: Keyring;
  const warnings: string[] = [];
  before(async () => {
    chain = await startChain();
    [honest, impostor, reader] = [chain.market(1), chain.market(2), chain.market(undefined)];
    own = await newKeyring();
    const { publicKeys } = await newKeyring(honest.account);
    // Both sign the same keys with their own wallet, which the registry accepts.
    for (const market of [honest, impostor]) {
      await send(market, { kind: "publish", offer: someOffer({ keys: publicKeys }) });
    }
  });
  after(() => chain.stop());

  const context = () =>
    ({
      market: reader,
      keyring: own,
      reporter: { emit: ({ text }: { text?: string }) => void warnings.push(text ?? "") },
    }) as unknown as Parameters<typeof trustedParty>[0];

  it("are given when account and certificate name each other", async () => {
    const party = await partyOf(context(), honest.account, waits);
    assert.equal(party.account, honest.account);
    assert.deepEqual(await trustedParty(context(), honest.account, waits), party);
    assert.deepEqual(warnings, []);
  });

  it("are refused when a signed offer has the certificate of another account", async () => {
    await assert.rejects(partyOf(context(), impostor.account, waits), code("KEY_NOT_BOUND"));
  });

  it("are refused without an offer", async () => {
    await assert.rejects(partyOf(context(), ZERO_ADDRESS, waits), code("OFFER_GONE"));
  });

  it("are undefined, with a warning, for a validator that cannot be trusted", async () => {
    assert.equal(await trustedParty(context(), impostor.account, waits), undefined);
    assert.equal(await trustedParty(context(), ZERO_ADDRESS, waits), undefined);
    assert.equal(warnings.length, 2);
  });

  it("are undefined after no other failure", async () => {
    const stopped = { signal: AbortSignal.abort(new Error("stopped")) };
    await assert.rejects(trustedParty(context(), honest.account, stopped), /stopped/);
  });
});
