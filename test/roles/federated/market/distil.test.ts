import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { float32Tensor } from "../../../../src/protocol/tensors/values.ts";
import { writeSafetensors } from "../../../../src/protocol/tensors/write.ts";
import { accuracyOf } from "../../../../src/roles/federated/market/requester/round/distil.ts";
import { scoresLeft } from "../../../../src/roles/federated/market/train.ts";

test("the highest score of a public row is what a model says of it", () => {
  const labels = Uint8Array.of(2, 0, 1, 1);
  const said = Float64Array.of(...[0, 1, 2], ...[5, 5, 0], ...[1, 0, 0], ...[-3, -1, -2]);
  assert.equal(accuracyOf(said, { labels }, 3), 750_000);
});

test("scores that a run left have the names and the shape that they are to have", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "ichain-scores-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const leave = (...tensors: [name: string, shape: number[], values: number[]][]) =>
    writeFile(
      join(dir, "scores.safetensors"),
      writeSafetensors(
        tensors.map(([name, shape, values]) => float32Tensor(name, shape, Float32Array.from(values))),
      ),
    );
  const read = () => scoresLeft(dir, { rows: 1, classes: 2 }, ["before", "after"]);
  await leave(["before", [1, 2], [1, 2]], ["after", [1, 2], [3, 5]]);
  assert.deepEqual(
    (await read()).map((one) => [...one]),
    [
      [1, 2],
      [3, 5],
    ],
  );
  for (const other of [
    [["before", [1, 2], [1, 2]]],
    [
      ["before", [2, 1], [1, 2]],
      ["after", [1, 2], [1, 2]],
    ],
    [
      ["before", [1, 2], [1, 2]],
      ["later", [1, 2], [1, 2]],
    ],
    [
      ["before", [1, 2], [1, Number.NaN]],
      ["after", [1, 2], [1, 2]],
    ],
  ] as [string, number[], number[]][][]) {
    await leave(...other);
    await assert.rejects(read(), { code: "MODEL_INVALID" });
  }
});
