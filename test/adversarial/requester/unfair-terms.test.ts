import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { openJournal } from "../../../src/journal/journal.ts";
import type { Market } from "../../../src/ports/market.ts";
import type { Terms } from "../../../src/protocol/job/terms.ts";
import { stakesOf } from "../../../src/protocol/policy/money.ts";
import { policySchema } from "../../../src/protocol/policy/policy.ts";
import { accept, isRefusal } from "../../../src/roles/job/provider/accept.ts";
import { send, someOffer, startChain, type TestChain } from "../../support/chain/chain.ts";
import { requesterTip } from "../../support/chain/secrets.ts";
import { someTerms } from "../../support/chain/terms.ts";
import { deployToken } from "../../support/chain/token.ts";
import { newKeyring, scratch } from "../../support/parcel/parcels.ts";

const COIN = 10n ** 18n;
const waits = { signal: AbortSignal.timeout(120_000) };

/** Terms that a contract takes and that an honest provider could only lose by, and the refusal that they meet. */
const traps: Readonly<Record<string, { code: string; change: (fair: Terms) => Partial<Terms> }>> = {
  "leaves no time to show the key": {
    code: "WINDOW_TOO_SHORT",
    change: ({ windows }) => ({ windows: { ...windows, claim: 300 } }),
  },
  "leaves a run a minute": {
    code: "WINDOW_TOO_SHORT",
    change: ({ windows }) => ({ windows: { ...windows, run: 60 } }),
  },
  "leaves no time to appeal": {
    code: "WINDOW_TOO_SHORT",
    change: ({ windows }) => ({ windows: { ...windows, appeal: 300 } }),
  },
  "holds stake and slot for 190 days": {
    code: "WINDOW_TOO_LONG",
    change: ({ windows }) => ({ windows: { ...windows, appoint: 190 * 86_400 } }),
  },
  "wants more stake than it pays": {
    code: "STAKE_ABOVE_PRICE",
    change: ({ price }) => ({ providerStake: price + 1n }),
  },
  "names validators with nothing to lose": {
    code: "VALIDATOR_STAKE_TOO_LOW",
    change: () => ({ validatorStake: 0n }),
  },
  "makes an appeal dearer than its price": {
    code: "BOND_TOO_HIGH",
    change: ({ price }) => ({ validatorFee: price / 2n }),
  },
};

describe("a hostile requester", () => {
  let chain: TestChain;
  let requester: Market;
  let provider: Market;
  before(async () => {
    chain = await startChain();
    [requester, provider] = [chain.market(1), chain.market(2, { confirmations: 3 })];
    await send(chain.market(2), { kind: "publish", offer: someOffer() });
    await send(chain.market(2), { kind: "deposit", amount: COIN });
  });
  after(() => chain.stop());

  async function fairTerms(): Promise<Terms> {
    const money = { price: COIN / 10n, validatorFee: COIN / 1000n, validators: 1 };
    const terms = someTerms(requester.account, provider.account, money);
    const stakes = stakesOf(money, await requester.poolStake(waits));
    return { ...terms, ...stakes };
  }

  /** Posts a job and has the provider look at it: it holds no transport, so that it could fetch nothing. */
  async function look(t: { after(fn: () => unknown): void }, terms: Terms): ReturnType<typeof accept> {
    const folder = await scratch(t as never);
    const book = openJournal(join(folder, "journal.db"));
    t.after(() => book.close());
    await send(requester, { kind: "post", terms, seedTip: requesterTip, sealed: "0x5e" });
    const id = requester.jobIdOf(terms);
    const context = { market: provider, account: provider.account, keyring: await newKeyring() };
    const shop = { policy: policySchema.parse({}), machine: {}, report: {} };
    type Args = Parameters<typeof accept>;
    const job = await requester.job(id);
    return accept(...([context, book.open("provider", id), job, { setup: shop }, waits] as unknown as Args));
  }

  for (const [name, { code, change }] of Object.entries(traps)) {
    test(`that ${name} is left alone before anything is fetched`, async (t) => {
      const fair = await fairTerms();
      const taken = await look(t, { ...fair, ...change(fair) });
      assert.ok(isRefusal(taken));
      assert.equal(taken.code, code);
      assert.equal((await requester.offer(provider.account))?.lockedStake, 0n);
    });
  }

  test("that pays in a token of its own making is left alone before anything is fetched", async (t) => {
    const token = await deployToken(chain.node.rpcUrl, chain.node.accounts[9]!.address);
    await token.transfer(requester.account, COIN);
    await send(requester, { kind: "approve", token: token.address, amount: COIN });
    const taken = await look(t, { ...(await fairTerms()), token: token.address });
    assert.ok(isRefusal(taken));
    assert.equal(taken.code, "TOKEN_UNKNOWN");
  });

  test("that asks for nothing unfair is looked at further", async (t) => {
    // Its locator, which opens for no key, is what this one fails by.
    await assert.rejects(look(t, await fairTerms()), (error) => isIchainError(error, "SEAL_NOT_FOR_US"));
  });
});
