import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { serviceSettings } from "../../../src/commands/daemon/install-service.ts";
import { loadConfig } from "../../../src/config.ts";
import { ichainRun, temporaryFolder } from "../../support/binary.ts";
import { lastJson } from "../../support/market/market.ts";

const network = {
  name: "nowhere",
  chainId: 31337,
  rpcUrl: "http://127.0.0.1:1",
  contracts: { registry: at(1), escrow: at(2), rating: at(3) },
};

function at(digit: number): string {
  return `0x${String(digit).repeat(40)}`;
}

/** A home with a network, a file in the place of a wallet, and its password. */
async function preparedHome(own: object = {}) {
  const folder = temporaryFolder();
  const password = folder.join("password");
  await writeFile(password, "correct horse\n", { mode: 0o600 });
  await writeFile(folder.join("keystore.json"), "{}");
  await writeFile(folder.join("config.yaml"), JSON.stringify({ network, ...own }));
  const env = { ICHAIN_HOME: folder.path, ICHAIN_PASSWORD_FILE: password };
  return { ...folder, [Symbol.dispose]: () => folder[Symbol.dispose](), env, password };
}

const codeOf = (stdout: string) => (lastJson(stdout) as { error?: { code: string } }).error?.code;

test("the unit of a command is printed, with what it was given", async () => {
  using home = await preparedHome();
  const policy = home.join("policy.yaml");
  await writeFile(policy, "pricePerHour: 0.001\n");
  const { env } = home;
  const serve = await ichainRun(["serve", "--install-service", "--print", "--json"], env);
  const printed = lastJson(serve.stdout) as { state: string; path: string; unit: string };
  assert.equal(printed.state, "printed");
  assert.match(printed.path, /ichain-serve\.service$/);
  assert.match(printed.unit, /ExecStart=":.*node.*" ".*\/bin\/ichain\.js" "serve"\n/);
  assert.ok(printed.unit.includes(`LoadCredential=password:${home.password}\n`));
  assert.doesNotMatch(`${serve.stdout}${serve.stderr}`, /correct horse/);
  const config = await loadConfig({ env });
  const { args, manager, mountsDisks } = serviceSettings(
    config,
    "provide",
    { policy, stake: 15n * 10n ** 17n, name: "--odd", validate: true },
    { env, isRoot: true },
  );
  assert.deepEqual(args, ["--policy", policy, "--stake", "1.5", "--name=--odd", "--validate"]);
  assert.deepEqual([manager, mountsDisks], ["system", true]);
});

test("what would keep a service from starting is found when it is installed", async () => {
  using home = await preparedHome();
  const { env } = home;
  const service = ["serve", "--install-service", "--print", "--json"];
  const code = async (args: readonly string[], changed: object = {}) =>
    codeOf((await ichainRun(args, { ...env, ...changed })).stdout);
  assert.equal(await code(["serve", "--print", "--json"]), "USAGE");
  assert.equal(await code(service, { ICHAIN_PASSWORD_FILE: "" }), "SERVICE_NO_PASSWORD");
  assert.equal(await code(service, { ICHAIN_PASSWORD_FILE: home.join("none") }), "PASSWORD_FILE_UNREADABLE");
  assert.equal(await code(service, { ICHAIN_RPC_URL: "http://127.0.0.1/v3/KEY" }), "SERVICE_ENVIRONMENT");
  const missing = ["provide", "--policy", home.join("none.yaml"), ...service.slice(1)];
  assert.equal(await code(missing), "POLICY_UNREADABLE");
  await chmod(home.password, 0o644);
  assert.match((await ichainRun(service, env)).stderr, /chmod 600/);
});

test("tasks on this machine's Docker need root; elsewhere they do not", async () => {
  const settings = async (own: object, command: "provide" | "serve", isRoot: boolean) => {
    using home = await preparedHome(own);
    return serviceSettings(await loadConfig({ env: home.env }), command, {}, { env: home.env, isRoot });
  };
  await assert.rejects(settings({}, "provide", false), { code: "SANDBOX_UNSUPPORTED" });
  const check = (how: string) => ({ audit: { check: how } });
  for (const [how, isRoot, expected] of [
    ["evaluate", true, true],
    ["evaluate", false, false],
    ["open", true, false],
  ] as const) {
    assert.equal((await settings(check(how), "serve", isRoot)).mountsDisks, expected);
  }
  const pool = (url: string) => ({ engine: "pool", pool: [{ name: "one", url }] });
  for (const [own, isRoot, mountsDisks, needsDocker] of [
    [pool("ssh://worker@gpu.example"), false, false, false],
    [pool("unix:///run/docker.sock"), true, true, true],
    [{ engine: "swarm", swarm: { shared: true } }, false, false, true],
    [{ engine: "swarm" }, true, true, true],
  ] as const) {
    const found = await settings(own, "provide", isRoot);
    assert.deepEqual([found.mountsDisks, found.needsDocker], [mountsDisks, needsDocker], JSON.stringify(own));
    assert.equal(found.manager, isRoot ? "system" : "user");
  }
  const { writes } = await settings({ log: { file: "/var/log/ichain/log" } }, "serve", true);
  assert.deepEqual(writes, ["/var/log/ichain"]);
});
