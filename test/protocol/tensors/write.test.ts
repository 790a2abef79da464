import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isIchainError } from "../../../src/errors/error.ts";
import { type Dtype, dtypeBits, tensorBytes } from "../../../src/protocol/tensors/dtype.ts";
import { readHeader } from "../../../src/protocol/tensors/header.ts";
import {
  float32Tensor,
  float32Values,
  int8Tensor,
  int8Values,
} from "../../../src/protocol/tensors/values.ts";
import { type Tensor, writeHeader, writeSafetensors } from "../../../src/protocol/tensors/write.ts";
import { needsPython, python } from "../../support/python.ts";
import { ofManyKinds } from "../../support/tensors.ts";

const dtypes = Object.keys(dtypeBits) as Dtype[];
const name = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => text !== "__metadata__");
const shape = fc.array(fc.nat(4), { maxLength: 4 });
const tensor: fc.Arbitrary<Tensor> = fc
  .record({ name, dtype: fc.constantFrom(...dtypes), shape })
  .filter((info) => tensorBytes(info.dtype, info.shape) !== undefined)
  .chain((info) => {
    const length = tensorBytes(info.dtype, info.shape)!;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((data): Tensor => ({ ...info, data: Uint8Array.from(data) }));
  });
const tensors = fc.uniqueArray(tensor, { selector: (one) => one.name, maxLength: 6 });

describe("a safetensors file that is written", () => {
  test("is read back as it was, each tensor at a multiple of its element's size", () => {
    fc.assert(
      fc.property(tensors, fc.dictionary(name, fc.string({ unit: "grapheme" })), (given, notes) => {
        const file = writeSafetensors(given, notes);
        const header = readHeader(file);
        const read = header.tensors.map((info) => {
          const bytes = dtypeBits[info.dtype] / 8;
          if (Number.isInteger(bytes) && info.end > info.start) assert.equal(info.start % bytes, 0);
          return {
            name: info.name,
            dtype: info.dtype,
            shape: info.shape,
            data: file.slice(info.start, info.end),
          };
        });
        const byName = (a: Tensor, b: Tensor) => (a.name < b.name ? -1 : 1);
        assert.deepEqual(read.toSorted(byName), given.toSorted(byName));
        assert.deepEqual(Object.fromEntries(header.metadata), { ...notes });
      }),
    );
  });

  test("has the same bytes in whatever order its tensors come", () => {
    fc.assert(
      fc.property(
        tensors.chain((given) =>
          fc.tuple(fc.constant(given), fc.shuffledSubarray(given, { minLength: given.length })),
        ),
        ([given, shuffled]) => {
          assert.deepEqual(
            writeSafetensors(given, { a: "1", b: "2" }),
            writeSafetensors(shuffled, { b: "2", a: "1" }),
          );
        },
      ),
    );
  });

  test("has the bytes of the format's own description", () => {
    const file = writeSafetensors([float32Tensor("attn0", [1, 1, 2, 3], Float32Array.of(0, 1, 2, 3, 4, 5))]);
    const json = '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       ';
    const expected = Buffer.concat([
      Buffer.from([72, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(json),
      Buffer.from("00000000" + "0000803f" + "00000040" + "00004040" + "00008040" + "0000a040", "hex"),
    ]);
    assert.deepEqual(Buffer.from(file), expected);
  });

  test("gives numbers back as they were, NaN and infinities too, from any place in memory", () => {
    const floats = fc.float32Array({ maxLength: 20 });
    const bytes = fc.int8Array({ maxLength: 20 });
    fc.assert(
      fc.property(floats, bytes, fc.nat(7), (weights, steps, shift) => {
        const file = writeSafetensors([
          float32Tensor("w", [weights.length], weights),
          int8Tensor("q", [steps.length], steps),
        ]);
        const moved = new Uint8Array(file.length + shift).subarray(shift);
        moved.set(file);
        const { tensors: infos } = readHeader(moved);
        const find = (wanted: string) => infos.find((info) => info.name === wanted)!;
        assert.deepEqual(float32Values(moved, find("w")), Float32Array.from(weights));
        assert.deepEqual(int8Values(moved, find("q")), Int8Array.from(steps));
      }),
    );
  });

  test("is refused where its data does not fit its shape, a name comes twice, or numbers of another dtype are asked for", () => {
    const one = float32Tensor("a", [2], Float32Array.of(1, 2));
    const code = (wanted: "TENSORS_INCONSISTENT" | "TENSORS_MALFORMED") => (error: unknown) =>
      isIchainError(error, wanted);
    assert.throws(() => writeSafetensors([{ ...one, shape: [3] }]), code("TENSORS_INCONSISTENT"));
    assert.throws(() => writeSafetensors([{ ...one, shape: [2 ** 53] }]), code("TENSORS_MALFORMED"));
    assert.throws(() => writeSafetensors([{ ...one, shape: [-2] }]), code("TENSORS_MALFORMED"));
    assert.throws(() => writeSafetensors([one, one]), code("TENSORS_MALFORMED"));
    assert.throws(() => writeSafetensors([{ ...one, name: "__metadata__" }]), code("TENSORS_MALFORMED"));
    const { header } = writeHeader([one]);
    assert.throws(() => int8Values(new Uint8Array(), header.tensors[0]!), code("TENSORS_MALFORMED"));
  });
});

test(
  "Python's safetensors reads what is written here, and writes the same bytes",
  needsPython("numpy", "safetensors"),
  (t) => {
    const dir = mkdtempSync(join(tmpdir(), "ichain-tensors-"));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const [ours, theirs] = [join(dir, "ours"), join(dir, "theirs")];
    writeFileSync(ours, ofManyKinds());
    const again = `
import sys
from safetensors import safe_open
from safetensors.numpy import save_file
with safe_open(sys.argv[1], "np") as given:
    save_file({name: given.get_tensor(name) for name in given.keys()}, sys.argv[2], given.metadata())
`;
    python(["-c", again, ours, theirs]);
    assert.deepEqual(readFileSync(theirs), readFileSync(ours));
  },
);
