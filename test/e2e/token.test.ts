import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { Contract } from "ethers";
import { parse, stringify } from "yaml";
import type { Address } from "../../src/protocol/ids.ts";
import { digits, lastJson, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const UNIT = 1_000_000n;

interface Held {
  readonly token: { address: string; symbol: string; decimals: number };
  readonly balance: string;
  readonly owed: string;
}

/** The digits job with this pay, in a folder of its own; resolves with its job.yaml. */
async function digitsPaidIn(market: TestMarket, name: string, pay: object): Promise<string> {
  const folder = join(market.dir, name);
  await cp(dirname(digits), folder, { recursive: true });
  const path = join(folder, "job.yaml");
  const { price: _price, validatorFee: _fee, ...job } = parse(await readFile(digits, "utf8"));
  await writeFile(path, stringify({ ...job, pay }));
  return path;
}

it("a job is paid in the six-decimals token from quote to rate, and in nothing else", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const { chain, network, requester, providers, validators } = market;
  const tusd = network.tokens.tusd!;
  const token = new Contract(tusd, ["function balanceOf(address) view returns (uint256)"], chain);
  const holds = (account: Address): Promise<bigint> => token.getFunction("balanceOf")(account);
  const [provider, validator] = [providers[0]!.account, validators[0]!.account];
  const [before, theirs] = [await holds(requester.account), await holds(provider)];
  const path = await digitsPaidIn(market, "paid", { token: "tusd", price: 120, validatorFee: "2.5" });

  const policy = join(market.dir, "own.yaml");
  await writeFile(policy, stringify({ tokens: [{ token: "tusd", worth: "0.0005", pricePerHour: "1000" }] }));
  const { verdicts } = (await market.ichain(["policy", "test", policy, path])) as {
    verdicts: { role: string; code?: string; fix?: object }[];
  };
  assert.equal(verdicts[0]?.code, "PRICE_TOO_LOW");
  assert.deepEqual(Object.keys(verdicts[0]?.fix ?? {}), ["field", "value"]);

  const quote = await market.ichain(["quote", path]);
  assert.deepEqual(quote.token, { address: tusd, symbol: "tUSD", decimals: 6 });
  assert.deepEqual([quote.price, quote.locked], [String(120n * UNIT), String((245n * UNIT) / 2n)]);
  assert.equal(quote.providerStake, String((120n * 10n ** 18n) / 2000n), "what 120 of it count as");

  const out = join(market.dir, "out");
  const block = await chain.getBlockNumber();
  const { jobId, state } = await market.ichain(["submit", path, "--wait", "--out", out]);
  assert.equal(state, "Settled");
  const own = (await market.transactions(block + 1)).filter(({ tx }) => tx.from === requester.account);
  assert.ok(own.every(({ tx }) => tx.value === 0n && tx.to === network.contracts.escrow));
  assert.equal(own.length, 2, "posted by one transaction, its permit in it, and appointed by another");
  await market.ichain(["rate", String(jobId), "5"]);

  assert.equal(await holds(requester.account), before - (245n * UNIT) / 2n);
  for (const account of [provider, validator])
    while (await owes(market, account, tusd)) await new Promise((resolve) => chain.once("block", resolve));
  assert.equal(await holds(provider), theirs + 120n * UNIT);
  assert.equal(await holds(validator), theirs + (5n * UNIT) / 2n);
  assert.equal(await holds(network.contracts.escrow), 0n);

  const job = (await market.ichain(["job", String(jobId)])) as { token: object };
  assert.deepEqual(job.token, quote.token);
  const { tokens } = (await market.ichain(["wallet", "balance"])) as unknown as { tokens: Held[] };
  assert.deepEqual(tokens, [{ token: quote.token, balance: String(before - (245n * UNIT) / 2n), owed: "0" }]);
  const nothing = await market.ichain(["wallet", "withdraw"]);
  assert.deepEqual(nothing.withdrawn, []);
  const why = (await market.ichain(["why", String(jobId)])) as { stands: string };
  assert.match(why.stands, /was paid 120 tUSD/);

  const failed = async (pay: object) => {
    const { stdout } = await market.attempt(["submit", await digitsPaidIn(market, "bad", pay)]);
    return (lastJson(stdout).error as { code: string }).code;
  };
  assert.equal(await failed({ token: `0x${"7".repeat(40)}` }), "TOKEN_UNUSABLE");
  assert.equal(await failed({ token: "euro" }), "TOKEN_NAME_UNKNOWN");
  assert.equal(await failed({ token: "tusd", price: "2000000" }), "NO_PROVIDER");
  assert.equal(await failed({ token: "tusd", price: "0.0000001" }), "JOB_INVALID");
  assert.equal(await holds(requester.account), before - (245n * UNIT) / 2n, "nothing is lost");
});

/** Whether the escrow owes this account any of the token. */
async function owes({ chain, network }: TestMarket, account: Address, token: Address): Promise<boolean> {
  const abi = ["function owed(address, address) view returns (uint256)"];
  const escrow = new Contract(network.contracts.escrow, abi, chain);
  return (await escrow.getFunction("owed")(account, token)) > 0n;
}
