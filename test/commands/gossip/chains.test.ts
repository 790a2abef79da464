import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ichainRun, temporaryFolder } from "../../support/binary.ts";

const example = fileURLToPath(new URL("../../../examples/gossip/sim.yaml", import.meta.url));
const small = `version: 1
name: clouds
gossip: { transactions: 2, expire: 10 }
simulation:
  { nodes: 3, ticks: 100, sample: 50, topology: full, hidden: 16,
    data: { train: { generated: { rows: 400, features: 8, classes: 3 } } } }
`;

test("gossip simulate plays the example: a line a sample, then the end; the attacker has no name left", async () => {
  const { code, stdout, stderr } = await ichainRun(["gossip", "simulate", example, "--json"]);
  assert.equal(code, 0, stderr);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ event, tick }) => tick ?? event),
    [100, 200, 300, 400, 500, 600, "end"],
  );
  const { peers, accuracy } = lines.at(-1);
  assert.equal(peers[0].plays, "model");
  assert.ok(peers[0].reputation.most < 0.1);
  assert.ok(accuracy > 0.5, String(accuracy));
});

test("gossip simulate tells what is wrong with a file, and takes another seed, and a rule by its path", async () => {
  using folder = temporaryFolder();
  const path = folder.join("sim.yaml");
  const code = async (text: string, ...options: string[]): Promise<string> => {
    writeFileSync(path, text);
    const { stdout } = await ichainRun(["gossip", "simulate", path, "--json", ...options]);
    return JSON.parse(stdout.trim().split("\n").at(-1)!).error?.code ?? "none";
  };
  assert.equal(await code(small.replace("nodes: 3", "nodes: 1")), "GOSSIP_SIMULATION_INVALID");
  assert.equal(await code(small.replace("topology: full, ", "")), "GOSSIP_SIMULATION_INVALID");
  assert.equal(await code(small, "--rule", "best"), "GOSSIP_RULE_UNKNOWN");
  const wrong = folder.join("wrong.mjs");
  writeFileSync(
    wrong,
    "export const rule = { name: 'wrong', summary: '', plan: () => ({ own: -1, received: [], reputations: new Map() }) };",
  );
  assert.equal(await code(small, "--rule", wrong), "GOSSIP_RULE_INVALID");
  assert.equal(await code(small, "--rule", "half-fedavg", "--seed", "two"), "none");
});

test("chains that a simulation keeps are verified, shown and exported; one that was touched names its record", async () => {
  using folder = temporaryFolder();
  const path = (name: string) => folder.join(name);
  const json = async (...args: string[]) =>
    JSON.parse((await ichainRun(["gossip", ...args, "--json"])).stdout);
  writeFileSync(path("sim.yaml"), small);
  const outputs = ["--chains", path("chains"), "--plot", path("curve.svg")];
  const { code } = await ichainRun(["gossip", "simulate", path("sim.yaml"), ...outputs]);
  assert.equal(code, 0);
  assert.equal(readFileSync(path("curve.svg"), "utf8").match(/<polyline /g)?.length, 4);
  const stores = [0, 1, 2].map((peer) => folder.join("chains", `peer-${peer}.db`));
  const found = await json("verify", stores[0]!);
  assert.equal(found.name, "clouds");
  assert.ok(found.blocks > 1);
  assert.equal(found.transactions, 2 * found.blocks);
  assert.equal(found.confirmations, 2 * found.transactions);
  assert.equal((await json("verify", stores[0]!, "--tip", found.tip)).tip, found.tip);
  assert.equal((await json("verify", stores[1]!, "--tip", found.tip)).error.code, "GOSSIP_CHAIN_OTHER_TIP");
  const shown = await json("show", ...stores, "--svg", path("network.svg"));
  assert.equal(shown.chains[0].blocks.length, found.blocks);
  assert.equal(shown.chains[0].witnesses.length, 2);
  assert.equal(readFileSync(path("network.svg"), "utf8").match(/<line /g)?.length, 6);
  const written = await json("export", stores[0]!, path("a.chain"));
  assert.equal(written.blocks, found.blocks);
  assert.deepEqual({ ...(await json("verify", path("a.chain"))), chain: "" }, { ...found, chain: "" });
  const text = readFileSync(path("a.chain"), "utf8");
  const touched = text.replace(/"accuracy":(\d+)/, (_, digits) => `"accuracy":${Number(digits) ^ 1}`);
  writeFileSync(path("a.chain"), touched);
  const { error } = await json("verify", path("a.chain"));
  assert.equal(error.code, "GOSSIP_CHAIN_BROKEN");
  assert.deepEqual([error.details.block, error.details.record], [1, "transaction 1, receipt 1"]);
  assert.equal((await json("verify", path("none"))).error.code, "GOSSIP_CHAIN_UNREADABLE");
  assert.equal((await json("export", path("none"), path("b"))).error.code, "GOSSIP_CHAIN_UNREADABLE");
  const again = await json("simulate", path("sim.yaml"), "--chains", path("chains"));
  assert.equal(again.error.code, "GOSSIP_CHAINS_THERE");
});

test("gossip settle writes what is to be measured, and shares a pool by what was measured", async () => {
  using folder = temporaryFolder();
  const path = (name: string) => folder.join(name);
  const json = async (...args: string[]) =>
    JSON.parse((await ichainRun(["gossip", ...args, "--json"])).stdout.trim().split("\n").at(-1)!);
  writeFileSync(path("sim.yaml"), small);
  await json("simulate", path("sim.yaml"), "--chains", path("chains"), "--models");
  const settle = ["settle", path("chains"), "--span", "30s", "--exam", path("exam"), "--pool", "1"];
  const found = await json(...settle);
  assert.equal(found.measured, false);
  assert.equal(found.peers.length, 3);
  const names = readdirSync(folder.join("exam", "models")).map((name) => name.replace(".safetensors", ""));
  assert.equal(names.length, found.models);
  // Without the first peer the exam would be harder.
  const [first] = found.peers;
  const missed = (name: string) => name.endsWith(first.account.slice(2).toLowerCase());
  const measured = Object.fromEntries(
    names.map((name) => [name, { exam: { acc: missed(name) ? 0.5 : 0.6 } }]),
  );
  writeFileSync(folder.join("exam", "measured.json"), JSON.stringify(measured));
  const { peers, rest } = await json(...settle);
  assert.deepEqual(
    peers.map(({ share }: { share: string }) => share),
    ["980000000000000000", "0", "0"],
  );
  assert.equal(rest, "20000000000000000");
  writeFileSync(folder.join("exam", "measured.json"), "{}");
  assert.equal((await json(...settle)).error.code, "GOSSIP_MEASURED_INVALID");
  const empty = await json("settle", folder.join("exam"));
  assert.equal(empty.error.code, "GOSSIP_EVIDENCE_INVALID");
});
