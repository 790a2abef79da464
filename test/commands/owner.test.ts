import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { asOwnerOf, makeHome } from "../../src/devnet/homes.ts";
import { isIchainError } from "../../src/errors/error.ts";
import type { UnsignedCall } from "../../src/ports/market/ownership.ts";
import type { Address } from "../../src/protocol/ids.ts";
import { policySchema } from "../../src/protocol/policy/policy.ts";
import { publishOffer } from "../../src/roles/daemon/offer.ts";
import { ichainRun } from "../support/binary.ts";
import { send, someOffer, startChain } from "../support/chain/chain.ts";
import { requesterTip } from "../support/chain/secrets.ts";
import { someTerms } from "../support/chain/terms.ts";
import { startParties } from "../support/market/parties.ts";
import { scratch } from "../support/parcel/parcels.ts";

const COIN = 10n ** 18n;

/** Two accounts without offers, and the command line of each. */
async function start(t: TestContext) {
  const chain = await startChain();
  t.after(() => chain.stop());
  const { escrow, registry, rating } = chain.addresses;
  const network = {
    ...{ name: "test", chainId: chain.node.chainId, rpcUrl: chain.node.rpcUrl, confirmations: 1, pollMs: 50 },
    contracts: { escrow, registry, rating },
  };
  const folder = await scratch(t);
  const of = async (index: number) => {
    const key = chain.node.accounts[index]!;
    const home = await makeHome(folder, `account-${index}`, key, { network, transport: "direct" });
    const ichain = async (...args: string[]) => {
      const { stdout, stderr } = await ichainRun([...args, "--json"], { ...asOwnerOf(home), CI: "1" });
      assert.notEqual(stdout.trim(), "", stderr);
      return JSON.parse(stdout.trim().split("\n").at(-1)!);
    };
    return { market: chain.market(index), account: key.address as Address, ichain };
  };
  return { chain, worker: await of(1), owner: await of(2) };
}

test("an account is offered and accepted, and its money is its owner's from then on", async (t) => {
  const { chain, worker, owner } = await start(t);
  const { account } = worker;
  assert.deepEqual(await worker.ichain("owner", "show", account), {
    ...{ address: account, owner: account, payee: account },
  });
  const offered = await worker.ichain("owner", "offer", owner.account);
  assert.deepEqual([offered.owner, offered.offeredTo], [account, owner.account]);
  const taken = await owner.ichain("owner", "accept", account);
  assert.deepEqual([taken.owner, taken.payee, taken.offeredTo], [owner.account, owner.account, undefined]);

  // A job that the account posted and took back is paid to its owner, also where the account asks for it.
  const terms = someTerms(account, owner.account);
  await send(worker.market, { kind: "post", terms, seedTip: requesterTip, sealed: "0x" });
  await send(worker.market, { kind: "cancel", job: await worker.market.job(worker.market.jobIdOf(terms)) });
  const before = await owner.market.balance(owner.account);
  const { withdrawn, payee } = await worker.ichain("wallet", "withdraw");
  assert.equal(payee, owner.account);
  assert.equal(await owner.market.balance(owner.account), before + BigInt(withdrawn[0].amount));

  for (const [call, code] of [
    [{ kind: "offerOwnership", to: account }, "REGISTRY_NOT_OWNER"],
    [{ kind: "setPayee", payee: account }, "REGISTRY_NOT_OWNER"],
    [{ kind: "requestWithdrawal", amount: 0n }, "REGISTRY_NOT_OWNER"],
    [{ kind: "acceptOwnership", of: account }, "REGISTRY_NOT_OFFERED"],
  ] as const)
    await assert.rejects(worker.market.prepare(call), (error) => isIchainError(error, code), call.kind);
  await send(worker.market, { kind: "publish", offer: someOffer() });
  const more = await owner.ichain("stake", "deposit", "2", "--account", account);
  assert.deepEqual([more.address, more.stake, more.owner], [account, String(2n * COIN), owner.account]);
  const mistyped = swapCase(owner.account);
  assert.equal((await owner.ichain("owner", "payee", mistyped, "--account", account)).error.code, "USAGE");
  const other = chain.node.accounts[5]!.address;
  assert.equal((await owner.ichain("owner", "payee", other, "--account", account)).payee, other);
});

test("calldata is what a wallet elsewhere sends", async (t) => {
  const { worker, owner } = await start(t);
  const { account } = worker;
  const calls = async (...args: string[]): Promise<(UnsignedCall & { call: string })[]> =>
    (await worker.ichain(...args, "--calldata")).calls;
  const [accept] = await calls("owner", "accept", account);
  const wanted = owner.market.unsigned({ kind: "acceptOwnership", of: account });
  assert.deepEqual(accept, { call: "acceptOwnership", ...wanted, value: "0" });
  const [deposit] = await calls("stake", "deposit", "1.5", "--account", account);
  assert.deepEqual([deposit?.to, deposit?.value], [wanted.to, String((COIN * 3n) / 2n)]);
  assert.deepEqual(await calls("wallet", "withdraw", "--account", account), []);
});

test("a daemon does not replace the stake that its owner took out", async (t) => {
  const { requester: owner, provider: worker } = await startParties(t);
  await send(worker.market, { kind: "offerOwnership", to: owner.account });
  await send(owner.market, { kind: "acceptOwnership", of: worker.account });
  const [roles, policy] = [{ provider: true, validator: true }, policySchema.parse({})];
  const offer = { roles, policy, machine: someOffer().details, stake: 6n * COIN };
  await publishOffer(worker, offer, { signal: AbortSignal.timeout(60_000) });
  assert.equal((await worker.market.offer(worker.account))?.stake, 5n * COIN);
  const { text } = await worker.tells(({ kind }) => kind === "warn");
  assert.match(text, /^The stake lacks 1 coin/);
});

/** The same digits, the first letter in the wrong case. */
function swapCase(address: string): string {
  const at = 2 + address.slice(2).search(/[a-fA-F]/);
  const letter = address[at]!;
  const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
  return address.slice(0, at) + other + address.slice(at + 1);
}
