import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { challengeBondOf } from "../../src/protocol/job/bond.ts";
import { blindKey } from "../../src/protocol/job/exchange.ts";
import { challenge } from "../../src/roles/job/requester/challenge.ts";
import { draftOf } from "../../src/roles/job/requester/posting/draft.ts";
import { allowEscrow } from "../../src/roles/tokens.ts";
import { send } from "../support/chain/chain.ts";
import { random32 } from "../support/chain/terms.ts";
import { deployToken, type TokenContract } from "../support/chain/token.ts";
import { acceptJob, enlist, newJob, reached, startParties, submitJob } from "../support/market/parties.ts";

const waits = { signal: AbortSignal.timeout(300_000) };
const UNIT = 10n ** 18n;

async function start(t: TestContext, name: TokenContract) {
  const parties = await startParties(t);
  const { chain, requester } = parties;
  const token = await deployToken(chain.node.rpcUrl, chain.node.accounts[9]!.address, name);
  await token.transfer(requester.account, 1000n * UNIT);
  const { market } = requester;
  const allowed = async () => (await market.tokenFunds(market.account, token.address, waits)).allowance;
  return { ...parties, token, market, allowed };
}

test("an approval adds to what another job has yet to spend, and is made only where one is missing", async (t) => {
  const { token, market, allowed } = await start(t, "PlainToken");
  await allowEscrow(market, token.address, 30n, waits);
  await allowEscrow(market, token.address, 30n, waits);
  assert.equal(await allowed(), 30n);
  await allowEscrow(market, token.address, 100n, waits);
  assert.equal(await allowed(), 130n);
});

test("a token that changes approvals only by way of none is approved all the same", async (t) => {
  const { token, market, allowed } = await start(t, "CautiousToken");
  await allowEscrow(market, token.address, 30n, waits);
  await allowEscrow(market, token.address, 100n, waits);
  assert.equal(await allowed(), 100n);
});

test("a challenge in a token is paid by an approval of its bond", async (t) => {
  const { requester, provider, token, chain } = await start(t, "PermitToken");
  const floors = { pricePerHour: "1", validationFee: "1" };
  await enlist(provider, [{ token: token.address, worth: String(UNIT / 100n), ...floors }]);
  const pay = { token: token.address, price: "40", validatorFee: "2" };
  const id = await newJob(requester, provider, { file: { price: undefined, validatorFee: undefined, pay } });
  const draft = draftOf(requester.journal.open("requester", id))!;
  const sessionKey = random32();
  const blob = { root: random32(), size: 1 };
  const endpoint = { transport: "direct", address: "127.0.0.1:9", token: `0x${"00".repeat(16)}` } as const;
  const made = { result: blob, report: blob, endpoint, sessionKey };
  await submitJob(provider, await acceptJob(provider, id), { draft, requester, ...made });
  const blindedKey = blindKey(sessionKey, draft.mask);
  await send(provider.market, { kind: "claim", job: await provider.market.job(id, waits), blindedKey });

  const job = await reached(requester, id, "Claimed");
  const held = await token.balance(chain.addresses.escrow);
  await challenge(requester, requester.journal.open("requester", id), { job, draft }, waits);
  assert.equal(await token.balance(chain.addresses.escrow), held + challengeBondOf(job.terms));
  assert.equal(challengeBondOf(job.terms), 26_000_000n);
});
