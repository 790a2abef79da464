import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "../../../../src/roles/federated/encode.ts";
import { givesUpdate } from "../../../../src/roles/federated/market/seat/replay.ts";
import { withNoise } from "../../../../src/roles/federated/privacy/noise.ts";

const parameters = 1000;
const trained = Float64Array.from({ length: parameters }, (_, i) => Math.sin(i) / 10);
const seed = new Uint8Array(32);

/** What a provider sends of a change. */
function sent(change: Float64Array, clip: number | undefined): Uint8Array {
  const shown = clip === undefined ? change : withNoise(change, { clip, noise: 0, delta: 1e-5 }, seed);
  return encode(shown, "int8").bytes;
}

for (const clip of [undefined, 0.5, 100])
  test(`a replay finds an honest update of a job that clips to ${clip ?? "nothing"}`, () => {
    const job = {
      update: "int8",
      parameters,
      ...(clip && { privacy: { clip, noise: 0, delta: 1e-5 } }),
    } as const;
    assert.ok(givesUpdate(trained, sent(trained, clip), job));
    const other = trained.map((value, i) => value + Math.cos(i) / 20);
    assert.ok(!givesUpdate(trained, sent(other, clip), job), "of another training");
    if (clip === 0.5) assert.ok(!givesUpdate(trained, sent(trained, undefined), job), "not clipped");
  });
