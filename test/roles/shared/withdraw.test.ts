import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isIchainError } from "../../../src/errors/error.ts";
import { openJournal } from "../../../src/journal/journal.ts";
import type { ProgressEvent } from "../../../src/ports/reporter.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { withdrawOwed, withdrawToken } from "../../../src/roles/shared/withdraw.ts";
import { send, startChain } from "../../support/chain/chain.ts";
import { requesterTip } from "../../support/chain/secrets.ts";
import { random32, someTerms } from "../../support/chain/terms.ts";
import { deployToken } from "../../support/chain/token.ts";
import { scratch } from "../../support/parcel/parcels.ts";

async function start(t: TestContext) {
  const chain = await startChain();
  t.after(() => chain.stop());
  const market = chain.market(1);
  const journal = openJournal(join(await scratch(t), "journal.db"));
  t.after(() => journal.close());
  const told: ProgressEvent[] = [];
  const reporter = { emit: (event: ProgressEvent) => void told.push(event) };
  return { chain, market, journal, account: market.account, reporter, told };
}

const options = { signal: AbortSignal.timeout(60_000) };

test("a withdrawal does not fail when another job has withdrawn everything meanwhile", async (t) => {
  const { journal, ...parts } = await start(t);
  const terms = someTerms(parts.account, parts.account);
  const context = { ...parts, market: { ...parts.market, owed: async () => 1n } };
  await withdrawOwed(context, journal.open("validator", random32()), { terms } as Job, options);
  assert.deepEqual(parts.told, []);
});

test("a token that does not pay the account fails no job: the money stays owed, and the owner is told once", async (t) => {
  const { chain, market, journal, account, told, ...parts } = await start(t);
  const token = await deployToken(chain.node.rpcUrl, chain.node.accounts[9]!.address, "PermitToken");
  await token.transfer(account, 1_100n);
  await send(market, { kind: "approve", token: token.address, amount: 1_100n });
  const terms = someTerms(account, chain.node.accounts[2]!.address, { token: token.address });
  await send(market, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
  const job = await market.job(market.jobIdOf(terms));
  await send(market, { kind: "cancel", job });
  await token.freeze(account);

  const record = journal.open("requester", job.id);
  await withdrawOwed({ market, account, ...parts }, record, job, options);
  const [event, ...more] = told;
  assert.deepEqual([event?.kind, more], ["warn", []]);
  assert.equal(record.intent("withdraw"), undefined, "it can be withdrawn later");
  const call = { kind: "withdraw", token: token.address } as const;
  await assert.rejects(withdrawToken({ market, journal }, call, options), (error) =>
    isIchainError(error, "TOKEN_WITHHELD"),
  );
  assert.equal(await market.owed(account, token.address), 1_100n);
});
