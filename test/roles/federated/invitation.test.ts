import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import type { FederatedCall } from "../../../src/ports/market/federated.ts";
import type { Market } from "../../../src/ports/market.ts";
import { fromHex, toHex } from "../../../src/protocol/bytes.ts";
import { seedHash } from "../../../src/protocol/federated/market/terms.ts";
import { ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import type { BundleLocator } from "../../../src/protocol/parcel/locator.ts";
import { enlistmentIn, invitationsTo } from "../../../src/roles/federated/market/enlist.ts";
import { openInvitation, sealInvitation } from "../../../src/roles/federated/market/invitation.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { random32 } from "../../support/chain/terms.ts";
import { code, newKeyring } from "../../support/parcel/parcels.ts";

const locator: BundleLocator = {
  kind: "bundle",
  bundle: { transport: "onion", address: "a".repeat(56), token: `0x${"17".repeat(16)}` },
  ...{ bundleBytes: 123_456, bundleKey: random32(), mask: random32() },
};

type Party = { market: Market; keyring: Awaited<ReturnType<typeof newKeyring>> };
const { signal } = new AbortController();
let chain: TestChain;
let parties: Party[];

before(async () => {
  chain = await startChain();
  parties = await Promise.all(
    [1, 2, 3, 4].map(async (index) => {
      const market = chain.market(index);
      return { market, keyring: await newKeyring(market.account) };
    }),
  );
  for (const { market, keyring } of parties) {
    await send(market, { kind: "publish", offer: someOffer({ keys: keyring.publicKeys }) });
    await send(market, { kind: "deposit", amount: 10n ** 18n });
  }
});
after(() => chain.stop());

test("invited providers learn where the job is and enlist; others learn nothing", async () => {
  const [requester, first, second, other] = parties as [Party, Party, Party, Party];
  const terms = {
    ...{ requester: requester.market.account, token: ZERO_ADDRESS, roundPrice: 3000n, seatFee: 0n },
    ...{ providerStake: 1000n, seatStake: 0n, rounds: 2, least: 2, places: 2, seats: 0 },
    ...{ enlistBy: (await requester.market.now()) + 600, roundWindow: 600, disputeWindow: 600 },
    ...{ specHash: random32(), bundleRoot: random32(), seedHash: seedHash(random32()) },
    refunds: false,
  };
  const id = requester.market.federatedJobIdOf(terms);
  await send(requester.market, { kind: "postFederated", federated: { terms }, sealed: "0x" });
  const posted = await requester.market.federatedJob(id);
  const invited = [first, second].map(({ market }) => market.account);
  for (const call of await invitationsTo(requester, posted, invited, locator, { signal }))
    await send(requester.market, call);

  for (const party of [first, second]) {
    const enlistment = await enlistmentIn(party, await party.market.federatedJob(id));
    assert.deepEqual(enlistment?.locator, locator);
    await send(party.market, { kind: "enlist", federated: posted, admission: enlistment!.admission });
  }
  const job = await requester.market.federatedJob(id);
  assert.deepEqual(
    job.members.map(({ account }) => account),
    invited,
  );
  assert.equal(await enlistmentIn(other, job), undefined);
  // Another's admission is none, and another's key opens nothing.
  const stolen = await openInvitation(first.keyring, id, job.invitations[0]!, first.market.account);
  const call: FederatedCall = { kind: "enlist", federated: job, admission: stolen!.admission };
  await assert.rejects(
    send(other.market, call),
    (error) => isIchainError(error) && error.code.startsWith("ESCROW_"),
  );
  await assert.rejects(
    openInvitation(other.keyring, id, job.invitations[0]!, first.market.account),
    code("SEAL_NOT_FOR_US"),
  );
  const nobody = chain.node.accounts[9]!.address;
  await assert.rejects(invitationsTo(requester, posted, [nobody], locator, { signal }), code("OFFER_GONE"));
});

test("an invitation that was cut, changed or sent for another job does not open", async () => {
  const [requester, { keyring, market }] = parties as [Party, Party];
  const [job, admission] = [random32(), toHex(new Uint8Array(65).fill(7))];
  const { onionKey } = keyring.publicKeys;
  const invitees = Array.from({ length: 32 }, () => ({ account: market.account, onionKey, admission }));
  const invitation = await sealInvitation(requester.keyring, job, invitees, locator);
  const bytes = fromHex(invitation.sealed);
  assert.ok(bytes.length <= 4096);
  const opened = await openInvitation(keyring, job, invitation, market.account);
  assert.deepEqual(opened, { locator, admission, onionKey: requester.keyring.publicKeys.onionKey });
  const refused = (sealed: Uint8Array, id = job) =>
    assert.rejects(
      openInvitation(keyring, id, { ...invitation, sealed: toHex(sealed) }, market.account),
      code("SEAL_NOT_FOR_US", "KEY_UNUSABLE"),
    );
  for (const length of [0, 31, 48, 48 + 32 * 32, bytes.length - 1]) await refused(bytes.subarray(0, length));
  for (const at of [0, 40, 50, 48 + 32 * 32, bytes.length - 1]) {
    const changed = Uint8Array.from(bytes);
    changed[at]! ^= 1;
    await refused(changed);
  }
  await refused(bytes, random32());
  await refused(new Uint8Array(4097));
});
