import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Notification, OwnerProgram } from "../../../src/ports/notifier.ts";
import { COIN } from "../../../src/protocol/amounts.ts";
import { budgetSchema } from "../../../src/protocol/budget.ts";
import { briefOf } from "../../../src/protocol/campaign/brief.ts";
import { type Campaign, campaignRolesOf, isCampaignFinal } from "../../../src/protocol/campaign/campaign.ts";
import { campaignFileSchema } from "../../../src/protocol/campaign/file.ts";
import { addRows } from "../../../src/roles/campaign/market/add.ts";
import { fixRow } from "../../../src/roles/campaign/market/fix.ts";
import { hostRows } from "../../../src/roles/campaign/market/host.ts";
import { beganToOpen, openCampaign, planOpening } from "../../../src/roles/campaign/market/open.ts";
import { appealFix, judgeFix, voteOn } from "../../../src/roles/campaign/market/panel/judge.ts";
import { sitInCampaigns } from "../../../src/roles/campaign/market/panel/sit.ts";
import { currentRows, rowsOf } from "../../../src/roles/campaign/market/rows.ts";
import { concerns, drawPanels, settleCampaign } from "../../../src/roles/campaign/market/settle.ts";
import { withdrawToken } from "../../../src/roles/shared/withdraw.ts";
import { lockBudgets } from "../../../src/sqlite/lock.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { controls } from "../../support/chain/evm.ts";
import { type Actor, newActor } from "../../support/market/parties.ts";

const ETHER = 10n ** 18n;
const HOUR = 3600;
const [OWNER, AUTHOR, FIXER, ...PANEL] = [1, 2, 3, 4, 5, 6] as const;

const file = campaignFileSchema.parse({
  version: 1,
  name: "sentences",
  campaign: {
    ...{ deposit: "0.05", price: "0.02", reward: "0.01", bond: "0.06", fee: "0.01" },
    ...{ rows: 10, capacity: 7, fixWindow: "1h", stepWindow: "10m" },
  },
  collection: { about: "One sentence and its label. A sentence twice is wrong.", closes: "2h" },
});
const rows = ["1\tgood", "0\tbad", "0\tgreat", "1\tfine", "1\tgood"];

describe("a data campaign among three homes and a panel", () => {
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

  /** Opens a campaign without a hidden test set, another one each second. */
  async function open(owner: Actor): Promise<Campaign> {
    await chain.node.increaseTime(1);
    await evm.mine();
    const plan = { file, token: COIN, owner: owner.account, hidden: [] };
    const planned = await planOpening(owner.market, plan, options);
    await openCampaign(owner, planned, options);
    return await owner.market.campaign(planned.opening.id);
  }

  test("collects, corrects, appeals and pays, and holds nothing in the end", async (t) => {
    const parties = await Promise.all([OWNER, AUTHOR, FIXER].map((index) => newActor(t, chain, index)));
    const [owner, author, fixer] = parties as [Actor, Actor, Actor];
    const { id } = await open(owner);
    const now = (actor: Actor) => actor.market.campaign(id);
    assert.equal(briefOf(await now(fixer))?.name, "sentences");

    const deposit = (await now(author)).rules.depositOf(rows.length, await author.market.now());
    assert.equal(await addRows(author, await now(author), { rows, deposit }, options), 0);
    await assert.rejects(addRows(author, await now(author), { rows, deposit }, options), {
      code: "CAMPAIGN_ROWS_KNOWN",
    });
    const hosting = await hostRows(author, options);
    t.after(() => hosting.stop());
    const fetched = await rowsOf(fixer, await now(fixer), 0, options);
    assert.deepEqual(fetched, rows);

    const flipped = { entry: 0, row: 2, rows: fetched, corrected: "1\tgreat" };
    const corrected = await fixRow(fixer, await now(fixer), flipped, options);
    const copy = { entry: 0, row: 4, rows: fetched, corrected: undefined };
    const removed = await fixRow(fixer, await now(fixer), copy, options);
    assert.deepEqual([corrected.fix, removed.row], [0, 4]);
    await judgeFix(owner, await now(owner), { place: corrected, right: true }, options);
    // The owner wants the copy too; the panel does not let it.
    await judgeFix(owner, await now(owner), { place: removed, right: false }, options);
    await appealFix(fixer, await now(fixer), removed, options);
    await evm.mine(3);
    await drawPanels(fixer, id, concerns(fixer.account), options);
    const members = await Promise.all(PANEL.map((index) => newActor(t, chain, index)));
    const drawn = [...(await now(owner)).rules.fixOf(removed)!.votes.keys()];
    assert.deepEqual(drawn.toSorted(), members.map(({ account }) => account).toSorted());
    // Two have a program that votes; the third asks its owner, who votes.
    const drained = new AbortController();
    const told = Promise.withResolvers<string>();
    const judge: OwnerProgram = async ({ original, corrected, about }) =>
      about?.includes("twice") && original === "1\tgood" && corrected === undefined;
    const notifier = { tell: ({ text }: Notification) => told.resolve(text) };
    const sitting = members.map((member, i) => {
      const programs = i < 2 ? { judge } : {};
      return sitInCampaigns({ ...member, notifier, ...programs }, { signal, draining: drained.signal });
    });
    assert.match(await told.promise, /fix 0\/4\/0 of campaign [0-9a-f]{8}, it waits for your vote/);
    const third = members[2]!;
    await voteOn(third, await now(third), { place: removed, right: true }, options);
    for await (const { rules } of owner.market.followCampaign(id))
      if ([...rules.fixOf(removed)!.votes.values()].every(({ revealed }) => revealed)) break;
    drained.abort();
    await Promise.all(sitting);
    assert.deepEqual(campaignRolesOf(await now(owner), fixer.account), ["fixer"]);

    await chain.node.increaseTime(3 * HOUR);
    await evm.mine();
    // Each does what concerns itself; a second call finds nothing left.
    await settleCampaign(fixer, id, concerns(fixer.account), options);
    assert.deepEqual(await settleCampaign(fixer, id, concerns(fixer.account), options), []);
    await settleCampaign(author, id, concerns(author.account), options);
    await settleCampaign(owner, id, concerns(owner.account), options);
    const ended = await now(owner);
    assert.ok(isCampaignFinal(ended));
    assert.deepEqual(
      currentRows(ended, 0, fetched).map(({ text }) => text),
      ["1\tgood", "0\tbad", "1\tgreat", "1\tfine"],
    );
    for (const actor of [...parties, ...members]) {
      const owed = await actor.market.owedCampaigns(actor.account, COIN.address);
      assert.equal(owed, ended.rules.owed.get(actor.account), "to the wei");
      await withdrawToken(actor, { kind: "withdrawCampaigns", token: COIN.address }, options);
    }
    assert.equal(await owner.market.balance(chain.addresses.campaigns!), 0n);
    const { bond, price, reward } = ended.terms;
    const got = (actor: Actor) => ended.rules.owed.get(actor.account);
    assert.equal(got(fixer), 2n * (bond + ended.rules.entries[0]!.deposit) + reward);
    assert.equal(got(author), 3n * (ended.rules.entries[0]!.deposit + price));
  });

  test("locks no more than its home's budgets, and sends nothing beyond them", async (t) => {
    const parties = await Promise.all([OWNER, PANEL[0], FIXER].map((index) => newActor(t, chain, index)));
    const [owner, author, fixer] = parties as [Actor, Actor, Actor];
    const within = (actor: Actor, total: string): Actor => ({
      ...actor,
      budgets: [{ token: COIN.address, budget: budgetSchema.parse({ total }) }],
      lockBudgets: (one) => lockBudgets(actor.home, one),
    });
    const exceeded = { code: "BUDGET_EXCEEDED" };
    const sent = async () => (await Promise.all(parties.map(({ account }) => evm.nonce(account)))).join();
    const before = await sent();
    await assert.rejects(open(within(owner, "0.1999")), exceeded);
    assert.equal(beganToOpen(owner), undefined);
    assert.equal(await sent(), before);
    // Ten rows at 0.02 each; what was refused does not count.
    const { id } = await open(within(owner, "0.3999"));
    await assert.rejects(open(within(owner, "0.3999")), exceeded);

    const deposit = ETHER / 10n;
    const add = async (some: readonly string[], total: string) =>
      await addRows(
        within(author, total),
        await author.market.campaign(id),
        { rows: some, deposit },
        options,
      );
    await assert.rejects(add(rows.slice(0, 2), "0.1"), exceeded);
    await add(rows.slice(0, 2), "0.3");
    await assert.rejects(add(rows.slice(2, 4), "0.3"), exceeded);
    const fix = { entry: 0, row: 1, rows: rows.slice(0, 2), corrected: undefined };
    const campaign = await fixer.market.campaign(id);
    await assert.rejects(fixRow(within(fixer, "0.05"), campaign, fix, options), exceeded);
    const place = await fixRow(within(fixer, "0.06"), campaign, fix, options);
    const fixed = await fixer.market.campaign(id);
    const untouched = await sent();
    await assert.rejects(appealFix(within(fixer, "0.06"), fixed, place, options), exceeded);
    assert.equal(await sent(), untouched);
  });

  test("adds rows once where it was killed before and after the chain had them", async (t) => {
    const owner = await newActor(t, chain, OWNER);
    const author = await newActor(t, chain, AUTHOR);
    const { id } = await open(owner);
    const deposit = ETHER;
    for (const when of ["before", "after"] as const) {
      const market: Actor["market"] = {
        ...author.market,
        account: author.account,
        async broadcast(tx, bounded) {
          if (when === "after") await author.market.broadcast(tx, bounded);
          throw new Error("killed");
        },
      };
      const adding = addRows(
        { ...author, market },
        await author.market.campaign(id),
        { rows, deposit },
        options,
      );
      await assert.rejects(adding, { message: "killed" });
    }
    assert.equal(await addRows(author, await author.market.campaign(id), { rows, deposit }, options), 0);
    const { rules } = await author.market.campaign(id);
    assert.equal(rules.entries.length, 1);
    // What was allowed beyond the deposit is owed back.
    const surplus = await author.market.owedCampaigns(author.account, COIN.address);
    assert.equal(surplus, BigInt(rows.length) * (deposit - rules.entries[0]!.deposit));
  });
});
