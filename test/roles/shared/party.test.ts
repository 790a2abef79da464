import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Market } from "../../../src/ports/market.ts";
import type { Keyring } from "../../../src/ports/parcels.ts";
import { ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import { partyOf, trustedParty } from "../../../src/roles/shared/party.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { code, newKeyring } from "../../support/parcel/parcels.ts";

const waits = { signal: AbortSignal.timeout(120_000) };

describe("taking somebody's keys from the market", () => {
  let chain: TestChain;
  let [honest, thief, reader] = [] as unknown as [Market, Market, Market];
  let own: Keyring;
  const warnings: string[] = [];
  before(async () => {
    chain = await startChain();
    [honest, thief, reader] = [chain.market(1), chain.market(2), chain.market(undefined)];
    own = await newKeyring();
    const { publicKeys } = await newKeyring(honest.account);
    // Each signs these keys with its own wallet: the registry has nothing to object to.
    for (const market of [honest, thief]) {
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

  it("gives those that account and certificate agree on", async () => {
    const party = await partyOf(context(), honest.account, waits);
    assert.equal(party.account, honest.account);
    assert.deepEqual(await trustedParty(context(), honest.account, waits), party);
    assert.deepEqual(warnings, []);
  });

  it("refuses somebody else's certificate in an offer that is signed", async () => {
    await assert.rejects(partyOf(context(), thief.account, waits), code("KEY_NOT_BOUND"));
  });

  it("refuses who has no offer", async () => {
    await assert.rejects(partyOf(context(), ZERO_ADDRESS, waits), code("OFFER_GONE"));
  });

  it("leaves out, with a warning, a validator that nothing may be sealed to", async () => {
    assert.equal(await trustedParty(context(), thief.account, waits), undefined);
    assert.equal(await trustedParty(context(), ZERO_ADDRESS, waits), undefined);
    assert.equal(warnings.length, 2);
  });

  it("lets no other failure pass for an untrusted one", async () => {
    const stopped = { signal: AbortSignal.abort(new Error("stopped")) };
    await assert.rejects(trustedParty(context(), honest.account, stopped), /stopped/);
  });
});
