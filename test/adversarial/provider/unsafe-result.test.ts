import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import type { z } from "zod";
import type { openedOutput } from "../../../src/commands/output/job.ts";
import { digits, startTestMarket } from "../../support/market/market.ts";
import { needs } from "../../support/require.ts";

/** Its metric is good; its files are a header whose tensors overlap, and a pickle under a name that tells nothing. */
const TASK = `import json, os, pickle, sys

class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/owned",))

if sys.argv[1] == "0":
    place = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    text = json.dumps({"a": place, "\\x1b[2J": place}).encode()
    open("/out/model.safetensors", "wb").write(len(text).to_bytes(8, "little") + text + bytes(4))
    open("/out/weights.bin", "wb").write(pickle.dumps(Evil()))
print("acc: 0.99")
`;

it(
  "a result that is unsafe to open is told to be, by file, and lies in the folder all the same",
  needs("root", "docker"),
  async (t) => {
    const market = await startTestMarket(t, { transport: "direct" });
    const folder = join(market.dir, "unsafe");
    await mkdir(folder);
    await writeFile(join(folder, "task.py"), TASK);
    const text = await readFile(digits, "utf8");
    const outputs = "outputs: [model.safetensors, weights.bin]";
    await writeFile(join(folder, "job.yaml"), text.replace("outputs: [model.safetensors]", outputs));
    const out = join(market.dir, "out");
    const flags = ["--provider", "best", "--validator", "best", "--wait", "--out", out];
    const submitted = await market.ichain(["submit", join(folder, "job.yaml"), ...flags]);
    const again = join(market.dir, "again");
    const got = await market.ichain(["get", String(submitted.jobId), "--out", again]);
    for (const told of [submitted, got]) {
      const { tensorFiles, pickles, damaged } = told as unknown as z.infer<typeof openedOutput>;
      assert.deepEqual(tensorFiles, []);
      assert.deepEqual(pickles, [{ file: "weights.bin", sign: "pickle" }]);
      assert.deepEqual(
        damaged.map(({ file, code }) => [file, code]),
        [["model.safetensors", "TENSORS_INCONSISTENT"]],
      );
    }
    assert.deepEqual((await readdir(again)).toSorted(), ["model.safetensors", "weights.bin"]);
  },
);
