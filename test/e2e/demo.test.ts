import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { bareEnvironment, ichainRun, temporaryFolder } from "../support/binary.ts";
import { ended, lastJson } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** What `ichain demo --json` promises. */
interface Told {
  readonly state: string;
  readonly verdict: string;
  readonly metric: { readonly name: string; readonly value: number };
  readonly rating: { readonly count: number };
  readonly txs: number;
  readonly gas: string;
  readonly transport: string;
  readonly engine: string;
  readonly tier: string;
  readonly seconds: Readonly<Record<string, number>>;
  readonly folder: string;
}

const binary = fileURLToPath(new URL("../../bin/ichain.js", import.meta.url));

it(
  "the demo ends with a rated job and a model that loads, and leaves nothing behind",
  needs("root", "docker", "tor"),
  async () => {
    using folder = temporaryFolder();
    const out = folder.join("model");
    const { code, stdout, stderr } = await ichainRun(["demo", "--json", "--out", out], {
      TMPDIR: folder.path,
    });
    assert.equal(code, 0, stdout + stderr);
    const told = lastJson(stdout) as unknown as Told;
    assert.equal(told.state, "Settled");
    assert.equal(told.verdict, "pass");
    assert.deepEqual(Object.keys(told.metric), ["name", "value"]);
    assert.ok(told.metric.value >= 0.95);
    assert.equal(told.txs, 8);
    assert.equal(told.transport, "onion");
    assert.equal(told.engine, "docker");
    assert.ok(BigInt(told.gas) > 0n);
    assert.equal(told.rating.count, 1);
    const { total, devnet, got, ...phases } = told.seconds;
    assert.deepEqual(Object.keys(phases), ["hosted", "fetched", "ran", "collected", "validated", "claimed"]);
    for (const [phase, time] of Object.entries(phases)) assert.ok(time > 0, phase);
    // A validator fetches, runs the evaluation in a container and sends two transactions.
    assert.ok(phases.validated! > 1, `validated in ${phases.validated} s`);
    const sum = [devnet!, got!, ...Object.values(phases)].reduce((one, other) => one + other);
    assert.ok(got! >= 0 && sum <= total! && sum > 0.8 * total!, `${sum} of ${total} s`);
    assert.equal(told.folder, out);
    // It loads where it was made: in the runtime image.
    const load =
      "import ichain; print({name: array.shape for name, array in ichain.load('/m/model.safetensors').items()})";
    const mount = `${out}:/m:ro`;
    const printed = execFileSync("docker", [
      "run",
      "--rm",
      "--network=none",
      "-v",
      mount,
      "ichain/python-ml",
      "python3",
      "-c",
      load,
    ]);
    assert.match(printed.toString(), /'hidden\.weight': \(64, 64\)/);
    assert.deepEqual(await leftovers(folder.path), []);
  },
);

it("the demo cleans up after Ctrl-C", needs("root", "docker", "tor"), async () => {
  using folder = temporaryFolder();
  const demo = spawn(process.execPath, [binary, "demo", "--json", "--out", folder.join("model")], {
    env: bareEnvironment({ CI: "1", TMPDIR: folder.path }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ending = ended(demo);
  await new Promise<void>((resolve) =>
    demo.stderr.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("is Accepted")) resolve();
    }),
  );
  demo.kill("SIGINT");
  const { code } = await ending;
  assert.equal(code, 130);
  assert.deepEqual(await leftovers(folder.path), []);
});

/** Processes and folders of a devnet that lived in `folder` and is gone. */
async function leftovers(folder: string): Promise<string[]> {
  const processes = execFileSync("ps", ["-eo", "args"]).toString().split("\n");
  const folders = await readdir(folder);
  return [
    ...processes.filter((line) => line.includes(`${folder}/ichain-`)),
    ...folders.filter((name) => name.startsWith("ichain-")),
  ];
}
