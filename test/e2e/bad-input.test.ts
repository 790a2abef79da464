import assert from "node:assert/strict";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Wallet } from "ethers";
import { parse, stringify } from "yaml";
import { importKey } from "../../src/chain/wallet.ts";
import { DEVNET_PASSWORD, type Home } from "../../src/devnet/homes.ts";
import { digits, lastJson, startTestMarket, stealKeys, type TestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const JSON_ERROR_FIELDS = ["code", "message", "hint", "retryable"] as const;

describe("bad input", needs("root", "docker"), () => {
  const cleanup: (() => unknown)[] = [];
  let market: TestMarket;
  before(async () => {
    market = await startTestMarket(
      { after: (fn) => void cleanup.push(fn as () => unknown) },
      { transport: "direct" },
    );
  });
  after(async () => {
    for (const one of cleanup) await one();
  });

  /** The command fails with this code and exit class, says it in one sentence and one hint, and did nothing. */
  async function refused(
    args: readonly string[],
    as: Home,
    code: string,
    exit: number,
    env = {},
  ): Promise<void> {
    const block = await market.chain.getBlockNumber();
    const { code: status, stdout, stderr } = await market.attempt(args, as, env);
    const error = lastJson(stdout).error as Record<(typeof JSON_ERROR_FIELDS)[number], string>;
    assert.equal(error.code, code, stdout + stderr);
    assert.equal(status, exit);
    for (const field of JSON_ERROR_FIELDS) assert.ok(field in error, field);
    assert.match(error.message, /^[^\n]+[.!]$/);
    assert.ok(error.hint.length > 10);
    assert.doesNotMatch(stdout + stderr, /^\s+at .+:\d+/m);
    assert.equal(await market.chain.getBlockNumber(), block, "nothing reached the chain");
    const jobs = await readdir(join(as.dir, "jobs", "requester")).catch(() => []);
    assert.deepEqual(jobs, [], "nothing is left of the attempt");
  }

  /** A copy of the requester's home with something changed in it. */
  async function home(name: string, change: (dir: string) => Promise<void>): Promise<Home> {
    const dir = join(market.dir, name);
    await cp(market.requester.dir, dir, { recursive: true });
    await change(dir);
    return { ...market.requester, name, dir, passwordFile: join(dir, "password") };
  }

  async function jobFile(name: string, from: string, to: string): Promise<string> {
    const file = join(market.dir, name);
    await cp(digits.replace("job.yaml", "task.py"), join(market.dir, "task.py"));
    const text = await readFile(digits, "utf8");
    assert.ok(text.includes(from));
    await writeFile(file, text.replace(from, to));
    return file;
  }

  it("a malformed job.yaml", async () => {
    const file = await jobFile("malformed.yaml", "threshold: 0.95", "threshold: high");
    await refused(["submit", file], market.requester, "JOB_INVALID", 2);
  });

  it(
    "windows that nobody can keep, or that hold what others stake for months",
    needs("root", "docker"),
    async () => {
      const from = "resources:\n";
      for (const [windows, code] of [
        ["claim: 1s", "WINDOW_TOO_SHORT"],
        ["run: 10m", "WINDOW_TOO_SHORT"],
        ["appoint: 190d", "WINDOW_TOO_LONG"],
      ] as const) {
        const file = await jobFile("windows.yaml", from, `windows: {${windows}}\n${from}`);
        for (const verb of ["quote", "submit"]) await refused([verb, file], market.requester, code, 2);
      }
    },
  );

  it("a task or a price that nobody could work with", async () => {
    for (const [from, to, code] of [
      ["memory: 1 GiB", "memory: 1 MiB", "MEMORY_TOO_SMALL"],
      ["disk: 64 MiB", "disk: 1 KiB", "DISK_TOO_SMALL"],
      ["version: 1\n", 'version: 1\nprice: "0.1"\nvalidatorFee: "0.05"\n', "BOND_TOO_HIGH"],
    ] as const) {
      const file = await jobFile("small.yaml", from, to);
      for (const verb of ["quote", "submit"]) await refused([verb, file], market.requester, code, 2);
    }
  });

  it("an image that nobody holds", async () => {
    const file = await jobFile("image.yaml", "image: python-ml", "image: python-quantum");
    await refused(["submit", file], market.requester, "IMAGE_UNKNOWN", 2);
  });

  it("a GPU that nobody has", async () => {
    const gpu = 'memory: 1 GiB\n  gpus: {model: "NVIDIA H100*", memory: 80 GiB}';
    const file = await jobFile("gpu.yaml", "memory: 1 GiB", gpu);
    for (const verb of ["quote", "submit"])
      await refused([verb, file], market.requester, "GPU_NOT_OFFERED", 6);
  });

  it("a wallet without coin", async () => {
    const poor = await home("poor", async (dir) => {
      await rm(join(dir, "keyring"), { force: true });
      const { keystoreJson } = await importKey(Wallet.createRandom().privateKey, DEVNET_PASSWORD, {
        light: true,
      });
      await writeFile(join(dir, "keystore.json"), keystoreJson);
    });
    await refused(["submit", digits], poor, "FUNDS_TOO_LOW", 5);
  });

  it("a wrong password", async () => {
    const locked = await home("locked", (dir) => writeFile(join(dir, "password"), "not-the-password"));
    await refused(["submit", digits], locked, "WALLET_WRONG_PASSWORD", 3);
  });

  it("a provider or validator with somebody else's certificate", async () => {
    const { account } = await stealKeys(market, market.providers[0]!.account);
    await refused(["submit", digits, "--provider", account], market.requester, "KEY_NOT_BOUND", 7);
    await refused(["submit", digits, "--validator", account], market.requester, "KEY_NOT_BOUND", 7);
  });

  it("a keyring of another wallet", async () => {
    const mixed = await home("mixed", async (dir) => {
      await cp(join(market.providers[0]!.dir, "keyring"), join(dir, "keyring"));
    });
    await refused(["submit", digits], mixed, "KEYRING_OF_ANOTHER", 3);
  });

  it("no Docker engine", async () => {
    const env = { DOCKER_HOST: `unix://${join(market.dir, "no-docker.sock")}` };
    await refused(["provide", "--stake", "1"], market.requester, "DOCKER_UNAVAILABLE", 4, env);
  });

  it("no tor program", async () => {
    const torless = await home("torless", async (dir) => {
      const config = join(dir, "config.yaml");
      const settings = parse(await readFile(config, "utf8")) as object;
      await writeFile(config, stringify({ ...settings, transport: "onion" }));
    });
    const env = { ICHAIN_TOR: join(market.dir, "no-tor") };
    await refused(["submit", digits], torless, "TOR_MISSING", 4, env);
  });

  it("no chain at the other end of the line", async () => {
    await refused(["submit", digits], market.requester, "CHAIN_UNAVAILABLE", 4, {
      ICHAIN_RPC_URL: "http://127.0.0.1:9",
    });
  });

  it("a job that does not exist", async () => {
    await refused(["job", "deadbeef"], market.requester, "JOB_UNKNOWN", 2);
  });
});
