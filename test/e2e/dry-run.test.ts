import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { it } from "node:test";
import { Wallet } from "ethers";
import { parse, stringify } from "yaml";
import { importKey } from "../../src/chain/wallet.ts";
import { DEVNET_PASSWORD } from "../../src/devnet/homes.ts";
import { digits, lastJson, startTestMarket, stealKeys } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

it(
  "a dry run says what submit then posts, asks for no password and does nothing",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const { requester, chain } = market;
    const block = await chain.getBlockNumber();
    const noPassword = { ICHAIN_PASSWORD_FILE: "" };
    const { stdout } = await market.attempt(["submit", digits, "--dry-run"], requester, noPassword);
    const dry = lastJson(stdout);
    assert.equal(dry.dryRun, true, stdout);
    assert.equal(await chain.getBlockNumber(), block);
    assert.equal(existsSync(join(requester.dir, "jobs")), false);

    const ranked = await market.attempt(["submit", digits, "--explain"], requester, noPassword);
    const [first, ...others] = lastJson(ranked.stdout).providers as Record<string, unknown>[];
    assert.deepEqual(
      [first?.account, first?.standing, first?.why, others],
      [market.providers[0]!.account, 0, null, []],
      ranked.stdout,
    );
    assert.equal(await chain.getBlockNumber(), block);

    const refusal = async (args: readonly string[], as = requester): Promise<unknown> => {
      const ended = await market.attempt(["submit", "--dry-run", ...args], as);
      return (lastJson(ended.stdout).error as { code?: string }).code;
    };
    const poor = join(market.dir, "poor");
    await mkdir(poor);
    await cp(join(requester.dir, "config.yaml"), join(poor, "config.yaml"));
    await cp(join(requester.dir, "networks"), join(poor, "networks"), { recursive: true, force: true }).catch(
      () => undefined,
    );
    const key = await importKey(Wallet.createRandom().privateKey, DEVNET_PASSWORD, { light: true });
    await writeFile(join(poor, "keystore.json"), key.keystoreJson);
    assert.equal(await refusal([digits], { ...requester, dir: poor }), "FUNDS_TOO_LOW");
    const small = join(market.dir, "small.yaml");
    await cp(join(dirname(digits), "task.py"), join(market.dir, "task.py"));
    await writeFile(
      small,
      "version: 1\nname: small\nimage: python-ml\ncommand: [python3, task.py]\ninputs: [task.py]\n" +
        "outputs: [model.pkl]\nresources: {memory: 1 MiB}\nverification: {threshold: 0.5}\n",
    );
    assert.equal(await refusal([small]), "MEMORY_TOO_SMALL");
    const limits = { budgets: [{ total: "0.000000001" }] };
    const file = join(requester.dir, "config.yaml");
    const written = await readFile(file, "utf8");
    await writeFile(file, stringify({ ...parse(written), ...limits }));
    assert.equal(await refusal([digits]), "BUDGET_EXCEEDED");
    await writeFile(file, written);
    const { account } = await stealKeys(market, market.providers[0]!.account);
    assert.equal(await refusal([digits, "--provider", account]), "KEY_NOT_BOUND");

    // A new provider, from nothing to a wallet with coin and a policy that was tried.
    const fresh = { ...requester, dir: join(market.dir, "fresh") };
    const network = join(market.dir, "network.yaml");
    const flags = ["--yes", "--role", "provider", "--network", network, "--policy", "--no-benchmark"];
    const set = await market.ichain(["init", ...flags], fresh);
    const { policy, verdicts } = set.prepared as {
      policy: { price: string; market: { offers: number } };
      verdicts: { role: string; takes: boolean }[];
    };
    assert.deepEqual([policy.price, policy.market.offers], [String(10n ** 16n), 2]);
    assert.deepEqual(
      verdicts.map(({ role, takes }) => [role, takes]),
      [
        ["provider", true],
        ["validator", true],
      ],
    );
    const funded = await market.ichain(["devnet", "fund", "--amount", "2"], fresh);
    assert.deepEqual(
      [funded.account, funded.balance],
      [String(set.address).toLowerCase(), String(2n * 10n ** 18n)],
    );

    // A validator by name: the thief is in the pool too.
    const parties = ["--provider", String(dry.provider), "--validator", market.validators[0]!.account];
    const { jobId } = await market.ichain(["submit", digits, ...parties]);
    const { terms } = (await market.ichain(["job", String(jobId)])) as { terms: Record<string, unknown> };
    for (const name of ["provider", "price", "validatorFee", "providerStake", "validatorStake"])
      assert.equal(dry[name], terms[name], name);
    const { accept: _, ...windows } = dry.windows as Record<string, number>;
    assert.equal(windows.run, (terms.windows as Record<string, number>).run);
    assert.deepEqual(Object.keys(windows), Object.keys(terms.windows as object));
  },
);
