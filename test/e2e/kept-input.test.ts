import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { stringify } from "yaml";
import { submitArgs } from "../support/market/exam-job.ts";
import { startTestMarket } from "../support/market/market.ts";
import { needs } from "../support/require.ts";

const MIB = 2 ** 20;

/** Says how many bytes of data it has, and that it could read them when it is measured too. */
const TASK = `
import json, os, sys
size = os.path.getsize("/in/data/rows.bin")
if sys.argv[1] == "0": open("/out/size.txt", "w").write(str(size))
print("acc:", float(open("/out/size.txt").read() == str(size)))
`;

it("the second job with a kept input fetches only the rest, provider and validator alike", {
  ...needs("root", "docker"),
  timeout: 180_000,
}, async (t) => {
  const market = await startTestMarket(t, { transport: "direct" });
  const folder = join(market.dir, "job");
  await mkdir(join(folder, "data"), { recursive: true });
  await writeFile(join(folder, "data", "rows.bin"), randomBytes(4 * MIB));
  const job = {
    ...{ version: 1, name: "kept", image: "python-ml", command: ["python3", "task.py"], price: 0.1 },
    ...{ inputs: ["task.py", { path: "data", keep: "1d" }], outputs: ["size.txt"] },
    verification: { metric: "acc", threshold: 1 },
  };
  await writeFile(join(folder, "job.yaml"), stringify(job));
  const logs = [...market.providers, ...market.validators].map(({ name }) => join(market.dir, `${name}.log`));
  /** Bytes of bundles and kept inputs that each has fetched so far, as it reports. */
  const fetched = async () => {
    const texts = await Promise.all(logs.map((path) => readFile(path, "utf8")));
    return texts.map((text) =>
      [...text.matchAll(/Fetched the (?:bundle|kept input) \((\d+) bytes, verified\)/g)].reduce(
        (sum, [, bytes]) => sum + Number(bytes),
        0,
      ),
    );
  };
  const run = async (version: string) => {
    await writeFile(join(folder, "task.py"), `# ${version}\n${TASK}`);
    const before = await fetched();
    const args = [...submitArgs(join(folder, "job.yaml")), "--wait", "--out", join(market.dir, version)];
    const { verdict } = await market.ichain(args);
    assert.equal(verdict, "pass");
    assert.equal(await readFile(join(market.dir, version, "size.txt"), "utf8"), String(4 * MIB));
    return (await fetched()).map((bytes, i) => bytes - before[i]!);
  };
  const first = await run("first");
  assert.ok(
    first.every((bytes) => bytes > 4 * MIB),
    `${first} bytes`,
  );
  const second = await run("second");
  assert.ok(
    second.every((bytes) => bytes > 0 && bytes < 10_000),
    `${second} bytes`,
  );
  t.diagnostic(`provider and validator fetched ${first} bytes, then ${second}`);
});
