import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connectRpc } from "../../../../../src/chain/rpc/rpc.ts";
import type { ErrorCode } from "../../../../../src/errors/catalogue.ts";
import { isIchainError } from "../../../../../src/errors/error.ts";
import type { OfferDetails } from "../../../../../src/protocol/offer.ts";
import { policySchema } from "../../../../../src/protocol/policy/policy.ts";
import { jobFileSchema } from "../../../../../src/protocol/task/spec.ts";
import { accept } from "../../../../../src/roles/job/provider/accept.ts";
import { advance } from "../../../../../src/roles/job/requester/advance.ts";
import { cancel } from "../../../../../src/roles/job/requester/posting/cancel.ts";
import { draftOf } from "../../../../../src/roles/job/requester/posting/draft.ts";
import { findCandidates } from "../../../../../src/roles/job/requester/posting/plan.ts";
import { readTenders, tokenAddress } from "../../../../../src/roles/tokens.ts";
import { deployToken } from "../../../../support/chain/token.ts";
import { enlist, newActor, newJob, startParties } from "../../../../support/market/parties.ts";

const COIN = 10n ** 18n;
const waits = { signal: AbortSignal.timeout(300_000) };
const code = (wanted: ErrorCode) => (error: unknown) => isIchainError(error, wanted);
/** 100 of the token count as a coin; an hour costs 12, a validation half a token. */
const taken = (token: string, unit: bigint): OfferDetails["tokens"] => [
  {
    ...{ token, worth: String(COIN / 100n) },
    ...{ pricePerHour: String(12n * unit), validationFee: String(unit / 2n) },
  },
];

/** A requester with 1000 of a token, and a provider that takes it. */
async function start(t: TestContext, name: "PermitToken" | "PlainToken") {
  const parties = await startParties(t);
  const { chain, requester, provider } = parties;
  const token = await deployToken(chain.node.rpcUrl, chain.node.accounts[9]!.address, name);
  const unit = name === "PermitToken" ? 10n ** 6n : COIN;
  await token.transfer(requester.account, 1000n * unit);
  await enlist(provider, taken(token.address, unit));
  const pay = { token: token.address, validatorFee: "0.5" };
  /** Drafts a job that pays so, and posts it unless told otherwise. */
  const job = (change: object = {}, posted = true) => {
    const file = { price: undefined, validatorFee: undefined, pay: { ...pay, ...change } };
    return newJob(requester, provider, { posted, file });
  };
  const rpc = connectRpc(chain.node.rpcUrl);
  const nonce = async () => Number(await rpc.send("eth_getTransactionCount", [requester.account, "latest"]));
  return { ...parties, token, job, nonce, pay };
}

test("a job in a token with permits is posted by one transaction, with stakes by what the provider counts it as", async (t) => {
  const { chain, requester, token, job, nonce } = await start(t, "PermitToken");
  const before = await nonce();
  const id = await job({ price: "50" });
  assert.equal((await nonce()) - before, 1);
  const { terms } = await requester.market.job(id, waits);
  assert.deepEqual([terms.token, terms.price, terms.validatorFee], [token.address, 50_000_000n, 500_000n]);
  assert.equal(terms.providerStake, COIN / 2n);
  assert.equal(await token.balance(chain.addresses.escrow), 50_000_000n);
  await cancel(requester, id, waits);
  assert.equal(await token.balance(requester.account), 1_000_000_000n, "all of it came back");
});

test("a job in a token without permits is approved first, in so many words, and approved once", async (t) => {
  const { chain, requester, token, job, nonce } = await start(t, "PlainToken");
  const before = await nonce();
  const told = requester.tells(({ text }) => /takes no permit/.test(text));
  await job();
  assert.equal((await told).kind, "info");
  assert.equal((await nonce()) - before, 2);
  // 12 an hour for a run window of 13 minutes.
  assert.equal(await token.balance(chain.addresses.escrow), (26n * COIN) / 10n);
  const { allowance } = await requester.market.tokenFunds(requester.account, token.address, waits);
  assert.equal(allowance, 0n, "no more than the job locks");
});

test("a posting that comes too late, from a frozen account, or in no token loses nothing", async (t) => {
  const { chain, requester, provider, token, job } = await start(t, "PermitToken");
  const late = await job({}, false);
  const draft = draftOf(requester.journal.open("requester", late))!;
  await chain.node.increaseTime(draft.terms.acceptBy - (await requester.market.now(waits)) + 60);
  await assert.rejects(advance(requester, late, {}, waits), code("PERMIT_EXPIRED"));
  assert.equal(requester.journal.open("requester", late).intent("post"), undefined, "it is a draft still");

  await assert.rejects(job({ token: `0x${"7".repeat(40)}` }), code("TOKEN_UNUSABLE"));
  await assert.rejects(job({ price: "1.0000001" }), code("JOB_INVALID"));
  assert.throws(() => tokenAddress("euro", { tusd: token.address }), code("TOKEN_NAME_UNKNOWN"));
  assert.equal(tokenAddress("tusd", { tusd: token.address }), token.address);

  await token.freeze(requester.account);
  await assert.rejects(job(), code("TOKEN_REFUSED"));
  assert.equal(await token.balance(requester.account), 1_000_000_000n);
  const { allowance } = await requester.market.tokenFunds(requester.account, token.address, waits);
  assert.equal(allowance, 0n, "nor was anything approved");
  assert.equal((await provider.market.jobs({ provider: provider.account }, waits)).length, 0);
});

test("a provider is not asked that does not take the token, or counts it as less than the job allows", async (t) => {
  const { requester, chain, job, pay } = await start(t, "PermitToken");
  const coins = await newActor(t, chain, 3);
  await enlist(coins);
  const file = jobFileSchema.parse({
    ...{ version: 1, name: "a", image: "python-ml", command: ["x"], inputs: ["x"], outputs: ["y"] },
    ...{ verification: { threshold: 0, validators: 0 }, pay },
  });
  const { providers } = await findCandidates(requester.market, file, requester.account, waits);
  assert.equal(providers.length, 1);
  assert.notEqual(providers[0]!.account, coins.account);
  await job({ worth: "0.01" });
  await assert.rejects(job({ worth: "0.011" }), code("NO_PROVIDER"));
});

test("a provider declines a token that its policy does not list, and says which", async (t) => {
  const { requester, provider, token, job } = await start(t, "PermitToken");
  const id = await job();
  const posted = await provider.market.job(id, waits);
  const asked = async (policy: object) => {
    const read = await readTenders(
      provider.market,
      policySchema.parse(policy),
      { tusd: token.address },
      waits,
    );
    const setup = { policy: read, machine: {}, report: {} } as never;
    const signal = AbortSignal.timeout(5_000);
    const journal = provider.journal.open("provider", id);
    return accept(provider, journal, posted, { setup, place: undefined }, { signal });
  };
  const refused = await asked({});
  assert.ok("code" in refused && refused.code === "TOKEN_UNKNOWN" && refused.reason.includes(token.address));
  const dear = await asked({ tokens: [{ token: "tusd", worth: "0.01", pricePerHour: "13" }] });
  assert.ok("code" in dear);
  assert.deepEqual([dear.code, dear.fix], ["PRICE_TOO_LOW", { field: "pay.price", value: "2.816667" }]);
  await assert.rejects(asked({ tokens: [{ token: "euro", worth: "1" }] }), code("TOKEN_NAME_UNKNOWN"));
  await cancel(requester, id, waits);
});
