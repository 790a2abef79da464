import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { COIN } from "../../../src/protocol/amounts.ts";
import { isCampaignFinal } from "../../../src/protocol/campaign/campaign.ts";
import { campaignFileSchema } from "../../../src/protocol/campaign/file.ts";
import { heldByImprovement, improvementPriceOf } from "../../../src/protocol/campaign/improvement/market.ts";
import { replaySpecOf, specHashOf } from "../../../src/protocol/campaign/improvement/spec.ts";
import { OWNERS_ENTRY } from "../../../src/protocol/campaign/models/improvement.ts";
import type { Hex } from "../../../src/protocol/ids.ts";
import { addRows } from "../../../src/roles/campaign/market/add.ts";
import { hostRows } from "../../../src/roles/campaign/market/host.ts";
import { openImprovement, stakeEntry } from "../../../src/roles/campaign/market/improvement/act.ts";
import { improvementOf, replayImprovement } from "../../../src/roles/campaign/market/improvement/replay.ts";
import { claimPayouts, settleImprovement } from "../../../src/roles/campaign/market/improvement/settle.ts";
import { sitInImprovements } from "../../../src/roles/campaign/market/improvement/sit.ts";
import { voteRoot } from "../../../src/roles/campaign/market/improvement/vote.ts";
import { openCampaign, planOpening } from "../../../src/roles/campaign/market/open.ts";
import { revealSlice } from "../../../src/roles/campaign/market/reveal.ts";
import { settleCampaign } from "../../../src/roles/campaign/market/settle.ts";
import { withdrawToken } from "../../../src/roles/shared/withdraw.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { type Actor, newActor } from "../../support/market/parties.ts";

const ETHER = 10n ** 18n;
const [OWNER, AUTHOR, OTHER] = [1, 2, 3] as const;
const PANEL = [4, 5, 6] as const;
const STEP = 300;

const file = campaignFileSchema.parse({
  version: 1,
  name: "sentences",
  campaign: {
    ...{ deposit: "0.05", price: "0.02", bond: "0.05" },
    ...{ rows: 20, capacity: 20, fixWindow: "5m", stepWindow: "5m" },
  },
  collection: {
    about: "One sentence and its label.",
    closes: "2h",
    hidden: { rows: "hidden.txt", slices: 2 },
  },
});
// Dealt in turn: the slices have the same rows, whichever is drawn to be shown first.
const hidden = ["1\tgreat fine", "1\tgreat fine", "0\tawful dull", "0\tawful dull", "1\tfine", "1\tfine"];
const good = ["1\tgreat", "1\tfine", "0\tawful", "0\tdull"];
const bad = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? "0\tgreat fine" : "1\tawful dull"));

test("a spec is found by its hash, and another hash is none", () => {
  const spec = { model: "centroid", words: 1024 } as const;
  assert.deepEqual(replaySpecOf(specHashOf(spec)), spec);
  assert.equal(replaySpecOf(`0x${"1".repeat(64)}`), undefined);
});

describe("the improvement market of a campaign", () => {
  const { signal } = new AbortController();
  const options = { signal };
  let chain: TestChain;
  let evm: ReturnType<typeof controls>;

  before(async () => {
    chain = await startChain({ accounts: 7 });
    evm = controls(chain.node);
    for (const index of PANEL) {
      const market = chain.market(index);
      await send(market, { kind: "publish", offer: someOffer({ validator: true, provider: false }) });
      await send(market, { kind: "deposit", amount: ETHER });
      await market.stop();
    }
    await chain.node.increaseTime(2);
  });
  after(() => chain.stop());

  const now = (actor: Actor, id: Hex) => actor.market.campaign(id, options);
  const pass = async (seconds: number) => {
    await chain.node.increaseTime(seconds);
    await evm.mine();
  };

  /** A campaign with a market beside it, two entries with stakes, and the first slice shown. */
  async function staked(owner: Actor, author: Actor, other: Actor): Promise<Hex> {
    await pass(1);
    const plan = { file, token: COIN, owner: owner.account, hidden };
    const planned = await planOpening(owner.market, plan, options);
    await openCampaign(owner, planned, options);
    const { id } = planned.opening;
    const campaign = await now(owner, id);
    const { closesAt, fixWindow, stepWindow } = campaign.terms;
    const offer = {
      ...{ bounty: ETHER, leastStake: ETHER / 100n, fee: ETHER / 1000n, stepWindow: STEP },
      showBy: closesAt + fixWindow + 6 * stepWindow,
      spec: specHashOf({ model: "bayes", words: 4096 }),
    };
    await openImprovement(owner, campaign, offer, options);
    await assert.rejects(openImprovement(owner, campaign, offer, options), {
      code: "IMPROVEMENT_MARKET_INVALID_STATUS",
    });
    for (const [actor, rows] of [
      [author, good],
      [other, bad],
    ] as const) {
      const deposit = 2n * (await now(actor, id)).rules.depositOf(rows.length, await actor.market.now());
      await addRows(actor, await now(actor, id), { rows, deposit }, options);
    }
    const stake = { entry: 0, amount: ETHER / 10n };
    await assert.rejects(stakeEntry(author, await now(author, id), stake, options), {
      code: "IMPROVEMENT_MARKET_NOT_STAKEABLE",
    });
    await evm.mine(3);
    await settleCampaign(owner, id, (_, { kind }) => kind === "drawSlice", options);
    await revealSlice(owner, await now(owner, id), undefined, options);
    await stakeEntry(author, await now(author, id), stake, options);
    await stakeEntry(other, await now(other, id), { entry: 1, amount: ETHER / 20n }, options);
    return id;
  }

  async function parties(t: Parameters<typeof newActor>[0]): Promise<[Actor, Actor, Actor]> {
    const [owner, author, other] = await Promise.all(
      [OWNER, AUTHOR, OTHER].map((index) => newActor(t, chain, index)),
    );
    return [owner!, author!, other!];
  }

  /** To the second after the time to show the test set. */
  async function passShowing(owner: Actor, id: Hex): Promise<void> {
    const { deadline } = improvementOf(await now(owner, id));
    await pass(deadline + 1 - (await owner.market.now()));
  }

  test("is replayed by a drawn panel, two of whom vote by themselves, and pays to the wei", async (t) => {
    const [owner, author, other] = await parties(t);
    const id = await staked(owner, author, other);
    await revealSlice(owner, await now(owner, id), undefined, options);
    const hosting = await Promise.all([owner, author, other].map((one) => hostRows(one, options)));
    t.after(() => Promise.all(hosting.map((one) => one.stop())));
    await passShowing(owner, id);
    await settleImprovement(owner, id, options);
    await evm.mine(3);
    await settleImprovement(owner, id, options);
    assert.equal(improvementOf(await now(owner, id)).state, "Voting");
    const members = await Promise.all(PANEL.map((index) => newActor(t, chain, index)));
    await assert.rejects(voteRoot(owner, await now(owner, id), options), { code: "IMPROVEMENT_NOT_DRAWN" });
    const drained = new AbortController();
    const notifier = { tell: ({ text }: { text: string }) => assert.fail(text) };
    const voting = members.map(async (member, i) => {
      if (i < 2) await sitInImprovements({ ...member, notifier }, { signal, draining: drained.signal });
      else await voteRoot(member, await now(member, id), options);
    });
    const reached = async (wanted: "committed" | "roots") => {
      for await (const { improvement } of owner.market.followCampaign(id, options))
        if (improvement![wanted].length === 3) return;
    };
    await reached("committed");
    await pass(STEP + 1);
    await reached("roots");
    drained.abort();
    await Promise.all(voting);
    await pass(STEP + 1);
    await settleImprovement(owner, id, options);
    const market = improvementOf(await now(author, id));
    assert.equal(market.state, "Settled");
    const claimed = await claimPayouts(author, id, options);
    assert.deepEqual(await claimPayouts(other, id, options), []);
    const ended = improvementOf(await now(author, id));
    assert.equal(heldByImprovement(ended), 0n);
    const paid = (entry: number) => ended.paid.get(entry) ?? 0n;
    assert.equal(
      claimed.reduce((sum, { amount }) => sum + amount, 0n),
      ETHER + (3n * ETHER) / 20n,
    );
    assert.ok(paid(0) >= ETHER / 10n, "the good entry loses nothing");
    assert.ok(paid(1) < ETHER / 20n, "the flipped one loses");
    assert.equal(paid(0) + paid(1) + paid(OWNERS_ENTRY), ETHER + (3n * ETHER) / 20n);
    for (const actor of [owner, author, other, ...members]) {
      const owed = await actor.market.owedImprovements(actor.account, COIN.address);
      if (owed > 0n)
        await withdrawToken(actor, { kind: "withdrawImprovements", token: COIN.address }, options);
    }
    assert.equal(await owner.market.balance(chain.addresses.improvements!), 0n);
    const { payouts, root } = await replayImprovement(other, id, options);
    assert.deepEqual([root, payouts.length], [ended.root, 3]);
  });

  test("gives stakes back with the bounty where its owner shows nothing more", async (t) => {
    const [owner, author, other] = await parties(t);
    const id = await staked(owner, author, other);
    const price = improvementPriceOf(improvementOf(await now(owner, id)).offer);
    await passShowing(owner, id);
    const done = await settleImprovement(author, id, options);
    assert.deepEqual(
      done.map(({ kind }) => kind),
      ["begin", "refund", "refund"],
    );
    const { state, paid } = improvementOf(await now(other, id));
    assert.equal(state, "Unshown");
    assert.equal(
      [...paid.values()].reduce((sum, one) => sum + one, 0n),
      price + (3n * ETHER) / 20n,
    );
    await settleCampaign(owner, id, () => true, options);
    assert.ok(isCampaignFinal(await now(owner, id)));
  });
});
