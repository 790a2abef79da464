import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { dockerEngine } from "../../src/sandbox/engines/docker.ts";
import { buildRuntime } from "../../src/sandbox/runtimes/build.ts";
import { DEFAULT_SOCKET } from "../../src/sandbox/sandbox.ts";
import { ichainRun, temporaryFolder } from "../support/binary.ts";
import { submitArgs } from "../support/market/exam-job.ts";
import { lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";
import { testModuleIn } from "../support/sandbox/python-module.ts";

const example = fileURLToPath(new URL("../../examples/torch-mnist/job.yaml", import.meta.url));

/** Names in a safetensors file's header. */
async function tensorNames(path: string): Promise<string[]> {
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE(0));
  return Object.keys(JSON.parse(bytes.toString("utf8", 8, 8 + length)) as object).toSorted();
}

describe("the runtime python-torch", needs("root", "docker", "mmdebstrap"), () => {
  before(async () => {
    await buildRuntime(dockerEngine({ socketPath: DEFAULT_SOCKET }), "python-torch");
  });

  it("has the module ichain, which passes its tests there", () => {
    testModuleIn("python-torch");
  });

  it("runs the template as it is, which would be confirmed and is paid on a market", {
    timeout: 300_000,
  }, async (t) => {
    using folder = temporaryFolder();
    const [made, env] = [folder.join("made"), { ICHAIN_HOME: folder.join("home"), CI: "1" }];
    assert.equal((await ichainRun(["new", "torch", made], env)).code, 0);
    const job = join(made, "job.yaml");
    const here = await ichainRun(["run", "--local", job, "-o", folder.join("out"), "--json"], env);
    assert.equal(lastJson(here.stdout).vote, "pass", here.stdout);
    const market = await startTestMarket(t, { transport: "direct" });
    const told = await market.ichain([...submitArgs(job), "--wait", "--out", folder.join("result")]);
    assert.deepEqual([told.state, told.verdict, told.files], ["Settled", "pass", ["model.safetensors"]]);
  });

  it("trains the example on a market, and validators measure it on digits that its provider never had", {
    timeout: 300_000,
  }, async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const out = join(market.dir, "digits");
    const told = await market.ichain([...submitArgs(example), "--wait", "--out", out]);
    assert.deepEqual([told.state, told.verdict, told.files], ["Settled", "pass", ["model.safetensors"]]);
    const job = (await market.ichain(["job", told.jobId as string])) as {
      validations: { measurement: { score: string } }[];
    };
    const score = Number(job.validations[0]?.measurement.score);
    assert.ok(score >= 0.96, String(score));
    t.diagnostic(`acc ${score}`);
    const layers = ["0", "10", "3", "7"].flatMap((layer) => [`${layer}.bias`, `${layer}.weight`]);
    assert.deepEqual(await tensorNames(join(out, "model.safetensors")), layers.toSorted());
  });
});
