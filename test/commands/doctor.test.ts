import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { dockerEngine } from "../../src/sandbox/engines/docker.ts";
import { buildRuntime } from "../../src/sandbox/runtimes/build.ts";
import { DEFAULT_SOCKET } from "../../src/sandbox/sandbox.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";
import { startChain } from "../support/chain/chain.ts";
import { alter, lies, startProxy } from "../support/chain/rpc-proxy.ts";
import { needs } from "../support/require.ts";

interface Row {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  readonly todo?: string;
}

test(
  "doctor shows in one table what tasks run on, and says what to do about what is weak",
  needs("docker", "root"),
  async () => {
    await buildRuntime(dockerEngine({ socketPath: DEFAULT_SOCKET }), "python-ml");
    using home = temporaryFolder();
    const { stdout } = await ichainRun(["doctor", "--json", "--quiet"], { ICHAIN_HOME: home.path });
    const { checks } = JSON.parse(stdout.split("\n")[0]!) as { checks: Row[] };
    const rows = new Map(checks.map((row) => [row.name, row]));
    for (const name of ["output disks", "docker", "GPUs"]) {
      assert.equal(rows.get(name)?.status, "ok", `${name}: ${rows.get(name)?.found}`);
    }
    // Others that this machine holds may be of older recipes.
    assert.match(rows.get("runtime images")!.found, /python-ml \([\d.]+ [MG]iB\)/);
    const tier = rows.get("sandbox tier")!;
    assert.deepEqual([tier.found, tier.status], ["runc", "warn"]);
    assert.match(tier.todo ?? "", /gVisor/);
    for (const { status, todo } of checks) assert.equal(todo === undefined, status === "ok");
  },
);

test(
  "runtime check tells a runtime that is held from one that is not what its recipe makes",
  needs("docker", "root"),
  async () => {
    const engine = dockerEngine({ socketPath: DEFAULT_SOCKET });
    const { digest } = await buildRuntime(engine, "python-ml");
    using home = temporaryFolder();
    const env = { ICHAIN_HOME: home.path };
    const good = await ichainRun(["runtime", "check", "python-ml", "--json"], env);
    assert.deepEqual(JSON.parse(good.stdout), { runtimes: [{ name: "python-ml", state: "ready", digest }] });
    assert.equal(good.code, 0);
    const absent = await ichainRun(["runtime", "check", "nothing", "--json"], env);
    assert.equal((JSON.parse(absent.stdout) as { error: { code: string } }).error.code, "RUNTIME_UNKNOWN");
  },
);

test("doctor shows of each node whether it answers, on which chain it is, and whether it agrees", async (t) => {
  const chain = await startChain();
  t.after(() => chain.stop());
  const { rpcUrl, chainId } = chain.node;
  const fork = alter(rpcUrl, "eth_getBlockByNumber", (block) => ({ ...block, hash: `0x${"77".repeat(32)}` }));
  const other = ({ method }: { method: string }) =>
    method === "eth_chainId" ? { result: "0x1" } : undefined;
  const proxies = await Promise.all(
    [() => undefined, fork, other, lies.garbage].map((meddle) => startProxy(rpcUrl, meddle)),
  );
  for (const proxy of proxies) t.after(proxy.stop);
  using home = temporaryFolder();
  const { escrow, registry, rating } = chain.addresses;
  const network = { name: "test", chainId, rpcUrl, contracts: { escrow, registry, rating } };
  writeFileSync(home.join("config.yaml"), JSON.stringify({ network }));
  const nodes = async (urls: readonly string[]) => {
    const env = {
      ICHAIN_HOME: home.path,
      ICHAIN_RPC_URL: urls.join(),
      DOCKER_HOST: `unix://${home.join("no.sock")}`,
    };
    const { stdout } = await ichainRun(["doctor", "--json", "--quiet"], env);
    const { checks } = JSON.parse(stdout.split("\n")[0]!) as { checks: Row[] };
    const { status, found } = checks.find(({ name }) => name === "nodes")!;
    const words = found.split("; ").map((text) => text.replace(/^.*?: (head .* old, )?/, ""));
    return { status, words };
  };
  const [honest = "", forked = "", elsewhere = "", garbled = ""] = proxies.map(({ url }) => url);
  assert.deepEqual(await nodes([rpcUrl]), { status: "ok", words: ["trusted alone"] });
  assert.deepEqual(await nodes([rpcUrl, honest]), { status: "ok", words: ["agrees", "agrees"] });
  assert.deepEqual(await nodes([rpcUrl, honest, forked, elsewhere, garbled]), {
    status: "warn",
    words: ["agrees", "agrees", "differs", "on chain 1", "no answer"],
  });
  assert.deepEqual(await nodes([rpcUrl, forked]), { status: "fail", words: ["differs", "differs"] });
});
