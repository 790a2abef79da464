import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUpdate, openUpdate } from "../../../../src/protocol/federated/codec/update.ts";
import { sameTraining } from "../../../../src/protocol/federated/replay.ts";
import { encode, encodeAgain } from "../../../../src/roles/federated/encode.ts";
import { withNoise } from "../../../../src/roles/federated/privacy/noise.ts";

const parameters = 1000;
const trained = Float64Array.from({ length: parameters }, (_, i) => Math.sin(i) / 10);
const seed = new Uint8Array(32);

/** What a provider sends of a change. */
function sent(change: Float64Array, clip: number | undefined): Uint8Array {
  const shown = clip === undefined ? change : withNoise(change, { clip, noise: 0, delta: 1e-5 }, seed);
  return encode(shown, "int8").bytes;
}

const decoded = (bytes: Uint8Array) => decodeUpdate(openUpdate(bytes, parameters));

for (const clip of [undefined, 0.5, 100])
  test(`a replay finds an honest update of a job that clips to ${clip ?? "nothing"}`, () => {
    const job = {
      update: "int8",
      parameters,
      ...(clip && { privacy: { clip, noise: 0, delta: 1e-5 } }),
    } as const;
    const again = decoded(encodeAgain(trained, job));
    assert.ok(sameTraining(decoded(sent(trained, clip)), again));
    const other = trained.map((value, i) => value + Math.cos(i) / 20);
    assert.ok(!sameTraining(decoded(sent(other, clip)), again), "of another training");
    if (clip === 0.5) assert.ok(!sameTraining(decoded(sent(trained, undefined)), again), "not clipped");
  });
