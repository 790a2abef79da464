import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openJournal } from "../../src/journal/journal.ts";
import { COIN } from "../../src/protocol/amounts.ts";
import { sharesOf } from "../../src/protocol/federated/pay/shares.ts";
import { type PoolTicket, poolPayOf, poolTicketSchema } from "../../src/protocol/gossip/settle/pool.ts";
import type { Address, Hex } from "../../src/protocol/ids.ts";
import { closePool, enlistInPool, openPool, payPool, postPool } from "../../src/roles/gossip/settle/pool.ts";
import { send, someOffer, startChain, type TestChain } from "../support/chain/chain.ts";
import { controls } from "../support/chain/evm.ts";
import { random32 } from "../support/chain/terms.ts";

const POOL = 10n ** 18n;
const DEPOSIT = POOL / 100n;
const never = { signal: new AbortController().signal };

let chain: TestChain;
before(async () => {
  chain = await startChain({ accounts: 5 });
});
after(() => chain.stop());

/** What roles work with, of an account of the chain. */
function contextOf(index: number) {
  const market = chain.market(index);
  return {
    ...{ market, account: chain.node.accounts[index]!.address as Address, journal: openJournal(":memory:") },
    [Symbol.asyncDispose]: () => market.stop(),
  };
}

test("a pool on the federated escrow: peers enlist with a deposit, and are paid what their shares are", async () => {
  await using requester = contextOf(1);
  await using one = contextOf(2);
  await using two = contextOf(3);
  await using stranger = contextOf(4);
  for (const { market } of [one, two]) {
    await send(market, { kind: "publish", offer: someOffer({ provider: true }) });
    await send(market, { kind: "deposit", amount: POOL });
  }
  await chain.node.increaseTime(2);
  const spec = { version: 1, genesis: random32(), span: 60 } as const;
  const request = {
    ...{ spec, pool: POOL, deposit: DEPOSIT, least: 2 },
    ...{ peers: [one.account, two.account], windows: { enlist: 600, period: 3600, dispute: 600 } },
  };
  let kept: PoolTicket | undefined;
  await postPool(
    requester,
    request,
    async (ticket) => {
      kept = poolTicketSchema.parse(JSON.parse(JSON.stringify(ticket)));
    },
    never,
  );
  const ticket = kept!;
  const invalid = { code: "GOSSIP_POOL_INVALID" };
  await assert.rejects(enlistInPool(stranger, ticket, never), invalid);
  await assert.rejects(enlistInPool(one, { ...ticket, spec: { ...spec, span: 61 } }, never), invalid);
  assert.equal((await openPool(requester, ticket, never)).state, "Enlisting");
  await enlistInPool(one, ticket, never);
  await enlistInPool(two, ticket, never);
  assert.equal((await enlistInPool(two, ticket, never)).members.length, 2);
  await assert.rejects(openPool(one, ticket, never), invalid);
  const running = await openPool(requester, ticket, never);
  assert.equal(running.state, "Running");

  const members = [one.account, two.account].map((account) => account.toLowerCase() as Address);
  const shares = sharesOf(POOL, [3n, 0n]);
  const pay = poolPayOf(shares, { pool: POOL, members, requester: requester.account });
  assert.equal(
    pay.reduce((sum, [, amount]) => sum + amount, 0n),
    POOL,
  );
  const counted = [{ generator: members[0]!, transaction: random32(), model: random32() as Hex, seenAt: 1 }];
  const ended = await closePool(requester, running, { pay, counted, measured: "{}" }, never);
  assert.equal(ended.state, "Ended");
  assert.equal(await payPool(requester, ended, pay, never), false, "it can still be disputed");
  await chain.node.increaseTime(601);
  await controls(chain.node).mine();
  assert.equal(await payPool(requester, ended, pay, never), true);
  assert.equal(await payPool(requester, ended, pay, never), true, "and again is nothing");
  const owed = (account: Address) => requester.market.owedFederated(account, COIN.address);
  assert.equal(await owed(one.account), (98n * POOL) / 100n);
  assert.equal(await owed(two.account), 0n);
  assert.equal(await owed(requester.account), (2n * POOL) / 100n);
  const { members: freed } = await requester.market.federatedJob(ticket.job);
  assert.deepEqual(
    freed.map(({ standing }) => standing),
    ["released", "released"],
  );
});
