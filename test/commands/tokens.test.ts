import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stringify } from "yaml";
import { asOwnerOf, makeHome } from "../../src/devnet/homes.ts";
import { ichainRun } from "../support/binary.ts";
import { send } from "../support/chain/chain.ts";
import { deployToken } from "../support/chain/token.ts";
import { enlist, startParties } from "../support/market/parties.ts";

const UNIT = 1_000_000n;
const COIN = 10n ** 18n;

/** The command line in the hands of an account with 1000 of a token, on a market whose one provider takes it. */
async function start(t: TestContext) {
  const { chain, requester, provider } = await startParties(t);
  const token = await deployToken(chain.node.rpcUrl, chain.node.accounts[9]!.address, "PermitToken");
  await token.transfer(requester.account, 1000n * UNIT);
  const floors = { pricePerHour: String(12n * UNIT), validationFee: String(UNIT) };
  await enlist(provider, [{ token: token.address, worth: String(COIN / 100n), ...floors }]);
  const { escrow, registry, rating } = chain.addresses;
  const network = {
    ...{ name: "test", chainId: chain.node.chainId, rpcUrl: chain.node.rpcUrl, confirmations: 1, pollMs: 50 },
    ...{ contracts: { escrow, registry, rating }, tokens: { usd: token.address } },
  };
  const home = await makeHome(requester.home, "cli", chain.node.accounts[1]!, {
    network,
    transport: "direct",
  });
  const ichain = async (...args: string[]) => {
    const { code, stdout, stderr } = await ichainRun(args, { ...asOwnerOf(home), CI: "1" });
    return { code, stdout, stderr };
  };
  const json = async (...args: string[]) => {
    const { stdout, stderr } = await ichain(...args, "--json");
    assert.notEqual(stdout.trim(), "", stderr);
    return JSON.parse(stdout.trim().split("\n").at(-1)!);
  };
  const jobPaidBy = async (pay: object, more: object = {}) => {
    const folder = join(home.dir, "job");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "task.py"), "print('acc: 1')");
    const job = {
      ...{ version: 1, name: "paid", image: "python-ml", command: ["python3", "task.py"] },
      ...{ inputs: ["task.py"], outputs: ["model"], verification: { threshold: 0.5, validators: 0 } },
      ...{ pay, ...more },
    };
    const path = join(folder, "job.yaml");
    await writeFile(path, stringify(job));
    return path;
  };
  return { chain, requester, provider, token, ichain, json, jobPaidBy };
}

test("commands show a job's money in its token, and what a frozen account is still owed", async (t) => {
  const { requester, provider, token, ichain, json, jobPaidBy } = await start(t);
  const usd = { address: token.address, symbol: "USD", decimals: 6 };
  const path = await jobPaidBy({ token: "usd", price: 50, validatorFee: "1.5" });
  assert.match((await ichain("providers")).stdout, /coin, usd/);
  assert.match(
    (await ichain("quote", path)).stdout,
    /: 50 USD; 0 validators at 1\.5 USD each\.\n50 USD is locked/,
  );
  assert.match((await ichain("quote", path)).stdout, /Its stake is 0\.5 coin/);

  const submitted = json("submit", path, "--provider", "best", "--validator", "best");
  for await (const job of provider.market.watch({ provider: provider.account })) {
    if (job.state !== "Posted") continue;
    await send(provider.market, { kind: "accept", job });
    break;
  }
  const { jobId, state } = await submitted;
  assert.equal(state, "Accepted");
  assert.match((await ichain("jobs")).stdout, /50 USD/);
  assert.match((await ichain("job", jobId)).stdout, /^price {10}50 USD$/m);

  await token.freeze(requester.account);
  const stopped = await json("stop", jobId);
  assert.deepEqual([stopped.state, stopped.token], ["Refunded", usd]);
  assert.ok(BigInt(stopped.paid) >= 5n * UNIT && BigInt(stopped.paid) < 50n * UNIT);
  const left = 50n * UNIT - BigInt(stopped.paid);
  assert.match((await ichain("why", jobId)).stdout, /its provider got [\d.]+ USD for the time used/);
  const { tokens } = await json("wallet", "balance");
  assert.deepEqual(tokens, [{ token: usd, balance: String(950n * UNIT), owed: String(left) }]);
  for (const args of [[], ["usd"], [token.address]]) {
    const { error } = await json("wallet", "withdraw", ...args);
    assert.equal(error.code, "TOKEN_WITHHELD");
    assert.match(error.message, /^[A-Z][^.]*\.$/, "one sentence");
  }
  assert.deepEqual((await json("wallet", "withdraw", "coin")).withdrawn, []);
  await send(provider.market, { kind: "withdraw", token: token.address });
  assert.equal(await token.balance(provider.account), BigInt(stopped.paid), "the other party's money leaves");
});

test("bad pay is refused in one sentence with one hint, and costs nothing", async (t) => {
  const { requester, chain, token, json, jobPaidBy } = await start(t);
  const refused = async (pay: object, more?: object) => {
    const { error } = await json("submit", await jobPaidBy(pay, more));
    assert.match(error.message, /^[^\n]*\.$/);
    assert.match(error.hint, /^[^\n]*\.$/);
    return error.code;
  };
  assert.equal(await refused({ token: `0x${"7".repeat(40)}` }), "TOKEN_UNUSABLE");
  assert.equal(await refused({ token: chain.addresses.escrow }), "TOKEN_UNUSABLE");
  assert.equal(await refused({ token: "euro" }), "TOKEN_NAME_UNKNOWN");
  assert.equal(await refused({ token: "usd", price: "50.0000001" }), "JOB_INVALID");
  assert.equal(await refused({ token: "usd", price: `1${"0".repeat(23)}`, validatorFee: 1 }), "NO_PROVIDER");
  assert.equal(await refused({ token: "usd", price: 50, worth: "0.02" }), "NO_PROVIDER");
  assert.equal(await refused({ token: "usd" }, { price: 1 }), "JOB_INVALID");
  assert.equal(await refused({ token: "usd", price: 499, validatorFee: 200 }), "BOND_TOO_HIGH");
  await token.freeze(requester.account);
  assert.equal(await refused({ token: "usd", price: 50 }), "TOKEN_REFUSED");
  assert.equal(await token.balance(requester.account), 1000n * UNIT);
  assert.equal(await token.balance(chain.addresses.escrow), 0n);
  assert.deepEqual((await json("jobs")).jobs, []);
});
