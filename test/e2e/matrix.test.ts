import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { digits, lastJson, startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

/** Prints the metric that it is told. */
const task = `import sys
if sys.argv[2] == "0": open("/out/model.safetensors", "w").write(sys.argv[1])
print("acc: " + sys.argv[1])
`;

interface Told {
  readonly cells: readonly {
    cell: string;
    jobId: string;
    state: string;
    metric: number;
    error: { code: string };
  }[];
}

it(
  "a matrix of jobs stays within its budget, says what became of each, and get --all opens what is paid",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const folder = join(market.dir, "sweep");
    await mkdir(folder);
    await writeFile(join(folder, "task.py"), task);
    const job = join(folder, "job.yaml");
    const text = (await readFile(digits, "utf8")).replace(
      "command: [python3, task.py]",
      `command: [python3, task.py, "\${acc}"]\nvariables: {acc: 0.9}\nmatrix: {acc: [0.96, 0.5, 0.98]}`,
    );
    await writeFile(job, text);

    const block = await market.chain.getBlockNumber();
    const noPassword = { ICHAIN_PASSWORD_FILE: "" };
    const { stdout } = await market.attempt(["submit", job, "--dry-run"], market.requester, noPassword);
    const dry = lastJson(stdout) as unknown as Told;
    assert.deepEqual(
      dry.cells.map(({ cell }) => cell),
      ["acc=0.96", "acc=0.5", "acc=0.98"],
    );
    const two = lastJson(
      (await market.attempt(["submit", digits, job, "--dry-run"])).stdout,
    ) as unknown as Told;
    assert.deepEqual(
      two.cells.map(({ cell }) => cell),
      [digits, `${job} acc=0.96`, `${job} acc=0.5`, `${job} acc=0.98`],
    );
    const poor = lastJson((await market.attempt(["submit", job, "--wait", "--budget", "0.00001"])).stdout);
    assert.equal((poor.error as { code: string }).code, "BUDGET_TOO_LOW");
    assert.equal(await market.chain.getBlockNumber(), block, "nothing is posted");

    const out = join(market.dir, "out");
    const ended = await market.attempt(["submit", job, "--wait", "--budget", "100", "-o", out]);
    const { error } = lastJson(ended.stdout) as unknown as { error: { code: string; details: Told } };
    assert.equal(error.code, "MATRIX_INCOMPLETE", ended.stdout);
    assert.deepEqual(
      error.details.cells.map(({ state, metric, error: why }) => [state, metric, why?.code]),
      [
        ["Settled", 0.96, undefined],
        ["Refunded", null, "JOB_FAILED"],
        ["Settled", 0.98, undefined],
      ],
      ended.stdout,
    );
    const [first, , third] = error.details.cells as [Told["cells"][number], unknown, Told["cells"][number]];
    for (const [{ jobId }, acc] of [
      [first, "0.96"],
      [third, "0.98"],
    ] as const)
      assert.equal(
        await readFile(join(out, `result-${jobId.slice(2, 10)}`, "model.safetensors"), "utf8"),
        acc,
      );

    // One that is posted without waiting, settled, and opened with all that wait.
    const one = await market.ichain(["submit", job, "-V", "acc=0.97"]);
    assert.equal((one.cells as Told["cells"]).length, 1);
    await market.ichain(["resume", (one.cells as Told["cells"])[0]!.jobId]);
    const all = join(market.dir, "all");
    // A folder in the way keeps this result from being opened, and says so.
    const taken = join(market.dir, "taken");
    await mkdir(join(taken, `result-${(one.cells as Told["cells"])[0]!.jobId.slice(2, 10)}`), {
      recursive: true,
    });
    const blocked = lastJson((await market.attempt(["get", "--all", "-o", taken])).stdout);
    assert.equal((blocked.error as { code: string }).code, "RESULTS_INCOMPLETE");
    const got = (await market.ichain(["get", "--all", "-o", all])) as { results: { jobId: string }[] };
    assert.deepEqual(
      got.results.map(({ jobId }) => jobId),
      [(one.cells as Told["cells"])[0]!.jobId],
    );
    assert.equal(existsSync(join(all, `result-${got.results[0]!.jobId.slice(2, 10)}`)), true);
    assert.deepEqual(await market.ichain(["get", "--all", "-o", all]), { results: [] });
  },
);
