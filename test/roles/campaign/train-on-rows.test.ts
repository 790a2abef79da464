import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startChild } from "../../../src/devnet/child.ts";
import { startDevnet } from "../../../src/devnet/devnet.ts";
import { asOwnerOf } from "../../../src/devnet/homes.ts";
import { type Ended, ichainRun, temporaryFolder } from "../../support/binary.ts";
import { needs } from "../../support/require.ts";

const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const linesOf = (path: string) => readFileSync(fromRoot(path), "utf8").trim().split("\n").slice(1);

const campaign = `
version: 1
name: moons
campaign: {deposit: "0.05", price: "0.02", bond: "0.05", rows: 300, capacity: 1000, fixWindow: 5m, stepWindow: 5m}
collection:
  about: "A point and its moon: x,y,moon"
  closes: 2h
  hidden: {rows: hidden.txt, slices: 2}
`;

/** The example with an exam, on rows without a head. */
function jobIn(folder: string): string {
  mkdirSync(folder);
  const text = (name: string) => readFileSync(fromRoot(`examples/exam/${name}`), "utf8");
  const files = (content: string) =>
    content.replaceAll("train.csv", "rows.txt").replaceAll("exam.csv", "hidden.txt");
  writeFileSync(join(folder, "task.py"), files(text("task.py")).replace("[1:]]", "]"));
  writeFileSync(
    join(folder, "job.yaml"),
    files(text("job.yaml")).replace("threshold: 0.95", "threshold: 0.8"),
  );
  return join(folder, "job.yaml");
}

test(
  "a campaign leads to a second version, trained by a stranger's provider on more rows",
  needs("docker"),
  async () => {
    using folder = temporaryFolder();
    const signal = AbortSignal.timeout(600_000);
    const devnet = await startDevnet({
      ...{ providers: 1, validators: 1, transport: "direct", dir: folder.join("devnet"), signal },
      reporter: { emit: () => undefined },
    });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => devnet.stop());
    const env = asOwnerOf(devnet.requester);
    const ichain = async (...argv: string[]) => {
      const { stdout, stderr, code }: Ended = await ichainRun([...argv, "--json"], env);
      assert.equal(code, 0, stderr + stdout);
      return JSON.parse(stdout);
    };
    const settled = async (jobId: string) => {
      while ((await ichain("job", jobId)).state !== "Settled") signal.throwIfAborted();
    };
    const serve = startChild({
      ...{ name: "ichain serve", argv: [fromRoot("bin/ichain.js"), "serve", "--json"], env },
      log: folder.join("serve.log"),
    });
    stack.defer(() => serve.stop());
    await serve.line(({ event }) => event === "serving", { signal });

    writeFileSync(folder.join("campaign.yaml"), campaign);
    writeFileSync(folder.join("hidden.txt"), linesOf("examples/exam/exam.csv").slice(0, 200).join("\n"));
    const { campaignId: id } = await ichain("data", "open", folder.join("campaign.yaml"), "--yes");
    const job = jobIn(folder.join("job"));
    const rows = linesOf("examples/exam/train.csv");
    for (const version of [1, 2]) {
      const path = folder.join(`rows-${version}.txt`);
      writeFileSync(path, rows.slice(100 * (version - 1), 100 * version).join("\n"));
      await ichain("data", "add", id, path, "--yes");
      await devnet.evm.increaseTime(301);
      // Either this or the server credits them.
      await ichain("data", "refund", id);
      const accepted = () => ichain("data", "get", id, "--accepted", "--out", folder.join("accepted"));
      while ((await accepted()).rows < 100 * version);
      const parties = ["--provider", "best", "--validator", "best"];
      const trained = await ichain("data", "train", id, job, ...parties, "--yes");
      assert.equal(trained.rows, 100 * version);
      await settled(trained.jobId);
    }
    const { versions } = await ichain("data", "versions", id);
    assert.deepEqual(
      versions.map((one: { version: number; rows: number; entries: number[] }) => [
        one.version,
        one.rows,
        one.entries,
      ]),
      [
        [1, 100, [0]],
        [2, 200, [0, 1]],
      ],
    );
    assert.equal(versions[1].previous, versions[0].jobId);
    assert.ok(versions.every(({ score }: { score: string }) => Number(score) >= 0.8));
  },
);
