import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { isIchainError } from "../../../../src/errors/error.ts";
import { exp, log } from "../../../../src/protocol/federated/elementary.ts";
import { readNpy } from "../../../../src/roles/federated/data/npy.ts";
import { readNpz } from "../../../../src/roles/federated/data/npz.ts";
import { dealByDirichlet, dealEvenly } from "../../../../src/roles/federated/data/partition.ts";
import { Random } from "../../../../src/roles/federated/data/random.ts";
import { generateSamples } from "../../../../src/roles/federated/data/samples.ts";

const refused = (error: unknown) => isIchainError(error) && error.code === "DATA_INVALID";

function npy(descr: string, shape: string, data: Uint8Array): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const padded = `${text.padEnd(117)}\n`;
  const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length, 0]);
  return Buffer.concat([head, Buffer.from(padded), data]);
}

/** A ZIP of one entry; `claimed` is the unpacked size that it says. */
function zip(name: string, content: Buffer, { packed = true, claimed = content.length } = {}): Buffer {
  const body = packed ? deflateRawSync(content) : content;
  const fields = Buffer.alloc(20);
  fields.writeUInt16LE(packed ? 8 : 0, 2);
  fields.writeUInt32LE(crc32(content), 8);
  fields.writeUInt32LE(body.length, 12);
  fields.writeUInt32LE(claimed, 16);
  const lengths = Buffer.from([name.length, 0, 0, 0]);
  const version = Buffer.from([20, 0]);
  const local = Buffer.concat([
    Buffer.from("PK\x03\x04"),
    version,
    fields.subarray(0),
    lengths,
    Buffer.from(name),
    body,
  ]);
  const central = Buffer.concat([
    Buffer.from("PK\x01\x02"),
    version,
    version,
    fields,
    lengths,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

test("an .npz file gives its arrays, stored or deflated", () => {
  const bytes = Buffer.alloc(16);
  bytes.writeDoubleLE(1.5, 0);
  bytes.writeDoubleLE(-2, 8);
  const array = npy("<f8", "2,", bytes);
  for (const packed of [true, false]) {
    const found = readNpz(zip("x.npy", array, { packed }), ["x"]).get("x")!;
    assert.deepEqual([found.shape, [...Array.from(found.values)]], [[2], [1.5, -2]]);
  }
});

test("an .npz file that lies about itself is refused", () => {
  const array = npy("|u1", "3,", Buffer.from([1, 2, 3]));
  assert.throws(() => readNpz(Buffer.from("PK"), ["x"]), refused);
  assert.throws(() => readNpz(zip("x.npy", array), ["y"]), refused);
  assert.throws(() => readNpz(zip("x.npy", array, { claimed: array.length - 1 }), ["x"]), refused);
  assert.throws(() => readNpz(zip("x.npy", array, { claimed: array.length + 1 }), ["x"]), refused);
  assert.throws(() => readNpz(zip("x.npy", array, { claimed: 2 ** 31 }), ["x"]), refused);
  assert.throws(() => readNpy(npy("|O", "1,", Buffer.from([1]))), refused, "objects");
  assert.throws(() => readNpy(npy("|u1", "4,", Buffer.from([1]))), refused, "size");
  assert.throws(() => readNpy(Buffer.from("\x93NUMPY")), refused);
});

test("bytes of chance in an .npz file are refused with the code, and nothing else", () => {
  const good = zip("x.npy", npy("|u1", "3,", Buffer.from([1, 2, 3])));
  const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(changes, (list) => {
      const damaged = Buffer.from(good);
      for (const [at, byte] of list) damaged[at] = byte;
      try {
        readNpz(damaged, ["x"]);
      } catch (error) {
        assert.ok(refused(error), String(error));
      }
    }),
  );
});

test("exp and log agree with Math's to 1e-13", () => {
  for (let x = -40; x <= 40; x += 0.37) {
    assert.ok(Math.abs(exp(x) / Math.exp(x) - 1) < 1e-13, `exp ${x}`);
    assert.ok(Math.abs(log(Math.exp(x)) - x) < 1e-13 * Math.max(1, Math.abs(x)), `log e^${x}`);
  }
  assert.equal(exp(-1000), 0);
});

test("the same seed draws the same numbers, and they are distributed as they say", () => {
  const random = new Random("seed");
  assert.deepEqual(
    Array.from({ length: 4 }, () => new Random("seed").below(1000)),
    Array<number>(4).fill(new Random("seed").below(1000)),
  );
  assert.notEqual(new Random("seed 1").uniform(), new Random("seed 2").uniform());
  const draws = 20_000;
  const mean = (draw: () => number) => {
    let sum = 0;
    for (let i = 0; i < draws; i++) sum += draw();
    return sum / draws;
  };
  assert.ok(Math.abs(mean(() => random.uniform()) - 0.5) < 0.01);
  assert.ok(Math.abs(mean(() => random.normal())) < 0.03);
  assert.ok(Math.abs(mean(() => random.normal() ** 2) - 1) < 0.05);
  assert.ok(Math.abs(mean(() => random.gamma(0.3)) - 0.3) < 0.02);
  assert.ok(Math.abs(mean(() => random.gamma(4)) - 4) < 0.1);
});

test("rows are dealt once each, evenly or by Dirichlet", () => {
  const samples = generateSamples({ rows: 1000, features: 4, classes: 5, spread: 1 }, new Random("rows"));
  const rows = Uint32Array.from(samples.labels.keys());
  const even = dealEvenly(rows, 7, new Random("a"));
  const skewed = dealByDirichlet(samples, rows, { parts: 7, alpha: 0.1, least: 5, random: new Random("b") });
  for (const parts of [even, skewed]) {
    assert.deepEqual(
      parts.flatMap((part) => [...part]).sort((a, b) => a - b),
      [...rows],
    );
  }
  const classesOf = (part: Uint32Array) => new Set([...part].map((row) => samples.labels[row])).size;
  assert.ok(even.every((part) => classesOf(part) === 5));
  assert.ok(skewed.some((part) => classesOf(part) < 5));
  assert.ok(skewed.every((part) => part.length >= 5));
});
