import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { stringify } from "yaml";
import { digits, ended, gasPaid, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

interface Status {
  readonly daemons: readonly {
    readonly kind: string;
    readonly state: string;
    readonly roles: readonly string[];
    readonly unfinished: number;
    readonly health: readonly { readonly name: string; readonly ok: boolean }[];
  }[];
  readonly silent: readonly string[];
}

const errorOf = (stdout: string) => (lastJson(stdout) as { error: { code: string } }).error.code;

/** Resolves once it has printed something. */
const printed = (child: ChildProcess) => once(child.stdout!, "data");

it("daemons tell what they do, read a policy again, end their jobs and stop, and a home moves amid a job", {
  ...needs("root", "docker"),
  timeout: 300_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ichain-policy-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const policy = join(folder, "policy.yaml");
  await writeFile(policy, stringify({ pricePerHour: 0.001 }));
  const market = await startTestMarket(t, { transport: "direct", policy });
  const provider = market.providers[0]!;
  const status = async (home = provider) => (await market.ichain(["status"], home)) as unknown as Status;

  const [working] = (await status()).daemons;
  assert.deepEqual([working?.state, working?.roles, working?.unfinished], ["working", ["provider"], 0]);
  assert.deepEqual(
    working?.health.map(({ name, ok }) => [name, ok]),
    [
      ["chain", true],
      ["funds", true],
      ["disk", true],
      ["engine", true],
    ],
  );

  const floor = async () => {
    const { providers } = (await market.ichain(["providers"])) as {
      providers: { account: string; priceFloor: string }[];
    };
    return providers.find(({ account }) => account === provider.account)?.priceFloor;
  };
  await writeFile(policy, "pricePerHour: much\n");
  assert.equal(errorOf((await market.attempt(["reload"], provider)).stdout), "POLICY_INVALID");
  assert.equal(await floor(), String(10n ** 15n));
  await writeFile(policy, stringify({ pricePerHour: 0.002 }));
  await market.ichain(["reload"], provider);
  assert.equal(await floor(), String(2n * 10n ** 15n));

  assert.equal(errorOf((await market.attempt(["stop"])).stdout), "DAEMON_NOT_RUNNING");
  assert.deepEqual((await status(market.requester)).daemons, []);
  // Its port for metrics is taken, which keeps it from nothing.
  const taken = createServer();
  t.after(() => taken.close());
  await once(taken.listen(0, "127.0.0.1"), "listening");
  const { port } = taken.address() as AddressInfo;
  await appendFile(join(market.requester.dir, "config.yaml"), `metrics: {servePort: ${port}}\n`);
  const server = market.launch(["serve"]);
  t.after(() => server.kill("SIGKILL"));
  const left = ended(server);
  await printed(server);
  await market.ichain(["submit", digits, "--provider", "best", "--validator", "best", "--detach"]);
  const { id } = await market.state("Accepted");
  const stopped = (await market.ichain(["stop"])).daemons;
  assert.deepEqual(stopped, [{ kind: "server", state: "ended", unfinished: 1 }]);
  assert.equal((await left).code, 0);
  assert.match((await left).stderr, /The daemon works without metrics/);
  taken.close();

  // Its requester goes on in another home.
  const file = join(folder, "home.backup");
  await market.ichain(["backup", file, "--move"]);
  const moved = { ...market.requester, dir: join(folder, "home") };
  await market.ichain(["restore", file], moved);
  assert.equal(errorOf((await market.attempt(["resume"])).stdout), "HOME_MOVED");
  const again = market.launch(["serve"], moved);
  t.after(() => again.kill("SIGKILL"));
  const over = ended(again);
  await printed(again);
  const healthz = await fetch(`http://127.0.0.1:${port}/healthz`);
  assert.deepEqual(
    [healthz.status, await healthz.json()],
    [200, { ok: true, kind: "server", state: "working", lacking: [] }],
  );
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.match(metrics, /^ichain_jobs\{role="requester",state="\w+"\} 1$/m);
  assert.match(metrics, /^ichain_gas_coin 0\.000\d+$/m);
  const watched = ended(market.launch(["watch", id], moved));
  // The provider ends the job that it has.
  const drained = await market.ichain(["drain", "--wait"], provider);
  assert.deepEqual(drained.daemons, [{ kind: "worker", state: "ended", unfinished: 1 }]);
  await market.state("Settled");
  assert.equal((await watched).code, 0);
  assert.deepEqual((await status()).daemons, []);
  const { jobs, ...sums } = (await market.ichain(["earnings"], provider)) as unknown as {
    jobs: { role: string; state: string; paid: string; gas: string }[];
    paid: { amount: string }[];
    slashed: string;
    gas: string;
  };
  const { terms } = await market.state("Settled");
  assert.deepEqual(
    jobs.map(({ role, state, paid }) => [role, state, paid]),
    [["provider", "Settled", String(terms.price)]],
  );
  assert.deepEqual([sums.paid[0]?.amount, sums.slashed], [String(terms.price), "0"]);
  const ofJob = (await market.transactions()).filter(({ tx }) => tx.to === market.network.contracts.escrow);
  assert.equal(sums.gas, String(gasPaid(ofJob, provider.account)));
  assert.deepEqual((await market.ichain(["earnings", "--since", "2100-01-01"], provider)).jobs, []);
  await market.ichain(["stop"], moved);
  assert.equal((await over).code, 0);
  await market.ichain(["get", id, "--out", join(folder, "model")], moved);
});
