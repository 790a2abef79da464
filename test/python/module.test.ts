import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readMetrics } from "../../src/protocol/task/metrics-log.ts";
import { needsPython, python } from "../support/python.ts";
import { fileOf, lyingHeaders, malformedHeaders, ofManyKinds } from "../support/tensors.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "ichain-module-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

describe("the Python module ichain", needsPython("numpy"), () => {
  test("passes its own tests", () => {
    python(["-m", "unittest", "discover", "-s", here]);
  });

  test("prints metrics that are read from a log as they were", () => {
    const program = `
import ichain
ichain.log(acc=0.5, loss=123456789.125)
print("epoch 2")
ichain.log(acc=0.1 + 0.2, **{"val.f1-x": 1e-300, "n": 10**17})
`;
    assert.deepEqual(readMetrics(python(["-c", program])), {
      acc: 0.1 + 0.2,
      loss: 123456789.125,
      "val.f1-x": 1e-300,
      n: 1e17,
    });
  });

  test("reads what is written here, and writes the same bytes", (t) => {
    const dir = folder(t);
    writeFileSync(join(dir, "ours"), ofManyKinds());
    const again = `
import ichain, os, sys
os.chdir(sys.argv[1])
ichain.save("theirs", ichain.load("ours"), {"format": "np"})
`;
    python(["-c", again, dir]);
    assert.deepEqual(readFileSync(join(dir, "theirs")), readFileSync(join(dir, "ours")));
  });

  test("refuses every file that is refused here, with a ValueError", (t) => {
    const dir = folder(t);
    const bad = [
      ...malformedHeaders.map((json) => fileOf(json, 0)),
      ...lyingHeaders.map(([header, dataBytes]) => fileOf(header, dataBytes)),
      new Uint8Array(7),
      new Uint8Array(8).fill(255),
      fileOf("[".repeat(200_000), 0),
    ];
    for (const [at, file] of bad.entries()) writeFileSync(join(dir, String(at)), file);
    const program = `
import ichain, os, sys
os.chdir(sys.argv[1])
for name in sorted(os.listdir(), key=int):
    try:
        ichain.load(name)
        print(name, open(name, "rb").read())
    except ValueError:
        pass
`;
    assert.equal(python(["-c", program, dir]), "");
  });
});
