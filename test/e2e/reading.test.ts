import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, it, type TestContext } from "node:test";
import { sameAddress } from "../../src/protocol/ids.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";
import { digits, startTestMarket, type TestMarket } from "../support/market/market.ts";
import { requireDocker, requireRoot } from "../support/require.ts";

/** The commands that only look, on a market with a job in it; the direct transport is enough for them. */
describe("looking at the market", () => {
  const cleanup: (() => unknown)[] = [];
  let market: TestMarket | undefined;
  let jobId = "";
  const need = (t: TestContext): boolean => requireRoot(t) && requireDocker(t);

  before(async () => {
    if (!need({ skip: () => undefined } as unknown as TestContext)) return;
    market = await startTestMarket(
      { after: (clean) => void cleanup.push(clean as () => unknown) },
      { transport: "direct" },
    );
    const posted = await market.ichain(["submit", digits, "--provider", "best", "--validator", "best"]);
    jobId = posted.jobId as string;
  });
  after(async () => {
    for (const clean of cleanup) await clean();
  });

  it("lists providers, and filters them", async (t) => {
    if (!need(t)) return;
    const list = async (...flags: string[]) =>
      (await market!.ichain(["providers", ...flags])).providers as { account: string; priceFloor: string }[];
    const all = await list();
    assert.equal(all.length, 1);
    assert.ok(sameAddress(all[0]!.account, market!.providers[0]!.account));
    assert.match(all[0]!.priceFloor, /^\d+$/);
    assert.deepEqual(await list("--gpu"), []);
    assert.deepEqual(await list("--tier", "vm"), []);
    assert.deepEqual(await list("--max-price", "0"), []);
    assert.equal((await list("--max-price", "1000000", "--sort", "price")).length, 1);
  });

  it("lists the job for its requester and its provider, each in its role", async (t) => {
    if (!need(t)) return;
    for (const [home, role] of [
      [market!.requester, "requester"],
      [market!.providers[0]!, "provider"],
    ] as const) {
      const { jobs } = (await market!.ichain(["jobs", "--all"], home)) as {
        jobs: { jobId: string; role: string }[];
      };
      assert.deepEqual(
        jobs.map((job) => [job.jobId, job.role]),
        [[jobId, role]],
      );
    }
  });

  it("explains in sentences, for people, where the job stands", async (t) => {
    if (!need(t)) return;
    using home = temporaryFolder();
    writeFileSync(home.join("network.yaml"), JSON.stringify(market!.network));
    const { stdout, code, stderr } = await ichainRun(["why", jobId.slice(0, 8)], {
      // An onlooker: the network, no wallet.
      ICHAIN_HOME: home.path,
      ICHAIN_NETWORK: home.join("network.yaml"),
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^([A-Z].+\.\n){3}$/);
  });

  it("follows the job to its end, one line a change, and shows it for people", async (t) => {
    if (!need(t)) return;
    const resumed = market!.ichain(["resume", jobId]);
    const { code, stdout, stderr } = await market!.attempt(["watch", jobId]);
    assert.equal(code, 0, stderr);
    const states = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { state: string }).state);
    assert.equal(states.at(-1), "Settled");
    await resumed;
    const shown = await ichainRun(["job", jobId], { ICHAIN_HOME: market!.requester.dir });
    assert.match(shown.stdout, /^state {10}Settled$/m);
    assert.match(shown.stdout, /^verdict {8}pass$/m);
  });

  it("knows the account's coin, and says so without a password", async (t) => {
    if (!need(t)) return;
    const { requester } = market!;
    const { stdout } = await ichainRun(["wallet", "balance", "--json"], { ICHAIN_HOME: requester.dir });
    const { balance } = JSON.parse(stdout) as { balance: string };
    assert.equal(BigInt(balance), await market!.chain.getBalance(requester.account));
  });

  it("finds nothing to mend on a machine that runs jobs", async (t) => {
    if (!need(t)) return;
    const { checks } = (await market!.ichain(["doctor"])) as { checks: { name: string; status: string }[] };
    assert.deepEqual(
      checks.filter(({ status }) => status === "fail"),
      [],
    );
  });
});
