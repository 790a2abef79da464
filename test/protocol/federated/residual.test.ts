import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { decodeHeader, encodeHeader } from "../../../src/protocol/federated/codec/header.ts";
import { changeSaid, encodeRest, leaves } from "../../../src/protocol/federated/codec/residual.ts";
import { decodeUpdate, openUpdate } from "../../../src/protocol/federated/codec/update.ts";
import { stateDigest } from "../../../src/protocol/federated/digest.ts";
import { Vector } from "../../../src/protocol/federated/vector.ts";
import { Random } from "../../../src/roles/federated/data/random.ts";
import { comesFrom, encode, type Residuals } from "../../../src/roles/federated/encode.ts";

const LENGTH = 5000;
const KEEP = 30;
const rules = { update: { topk: KEEP / 1000 } } as const;
const sha = () => createHash("sha256");

function randomChange(random: Random, size = 0.05): Float64Array {
  return Float64Array.from({ length: LENGTH }, () => size * random.normal());
}

/** What honest providers make of `rounds` changes, each with what was left before and after. */
function played(changes: readonly Float64Array[]): { bytes: Uint8Array; residuals: Residuals }[] {
  let before: Vector | undefined;
  return changes.map((change) => {
    const { bytes, residual } = encode(change, rules.update, before);
    const made = { bytes, residuals: { before, after: residual! } };
    before = residual;
    return made;
  });
}

/** `bytes` as if its provider had signed that it leaves `residual`. */
function signedFor(bytes: Uint8Array, residual: Vector): Uint8Array {
  const forged = bytes.slice();
  const state = Buffer.from(stateDigest(sha(), residual).slice(2), "hex");
  forged.set(encodeHeader({ ...decodeHeader(bytes), state }));
  return forged;
}

function withUnits(vector: Vector, change: (units: Float64Array) => void): Vector {
  const copy = new Vector(vector.length);
  copy.units.set(vector.units);
  change(copy.units);
  return copy;
}

test("what top-k updates say and what the last leaves come to all changes, to the last unit", () => {
  const random = new Random("residual sums");
  const changes = Array.from({ length: 8 }, () => randomChange(random));
  const sum = new Vector(LENGTH);
  const rounds = played(changes);
  for (const [i, { bytes }] of rounds.entries()) {
    const whole = Vector.fromNumbers(changes[i]!);
    const said = Vector.fromNumbers(decodeUpdate(openUpdate(bytes, LENGTH)));
    for (let at = 0; at < LENGTH; at++) sum.units[at]! += whole.units[at]! - said.units[at]!;
  }
  assert.deepEqual(sum.units, rounds.at(-1)!.residuals.after.units);
});

test("no honest update is found: on this machine to the bit, on another within rounding", () => {
  for (let seed = 0; seed < 8; seed++) {
    const random = new Random(`residual honest ${seed}`);
    const changes = Array.from({ length: 4 }, () => randomChange(random, 10 ** -(1 + (seed % 4))));
    for (const [i, { bytes, residuals }] of played(changes).entries()) {
      assert.ok(leaves(bytes, residuals.after, sha()));
      const said = changeSaid(bytes, { keep: KEEP, ...residuals });
      const whole = Vector.fromNumbers(changes[i]!).units;
      assert.ok(said?.units.every((units, at) => units === whole[at]));
      // Threads and libraries add in other orders: at most 6.6e-7 of a value.
      const elsewhere = changes[i]!.map((value) => value * (1 + 6.6e-7 * (2 * random.uniform() - 1)));
      for (const change of [changes[i]!, elsewhere])
        assert.ok(comesFrom(bytes, change, rules, { residuals, most: 0.0005 }), `seed ${seed}, round ${i}`);
    }
  }
});

test("a residual of which one bit is another is none that was signed", () => {
  const random = new Random("residual bits");
  const [{ bytes, residuals }] = played([randomChange(random)]) as [ReturnType<typeof played>[number]];
  for (let i = 0; i < 200; i++) {
    const at = Math.floor(random.uniform() * LENGTH);
    const bit = 2 ** Math.floor(random.uniform() * 40);
    const flipped = withUnits(residuals.after, (units) => {
      const isSet = Math.floor(Math.abs(units[at]!) / bit) % 2 === 1;
      units[at]! += (isSet ? -1 : 1) * (units[at]! < 0 ? -bit : bit);
    });
    assert.ok(!leaves(bytes, flipped, sha()), `bit ${bit} of value ${at}`);
  }
});

test("a provider that signs for another residual than its training leaves is found", () => {
  const random = new Random("residual forged");
  const change = randomChange(random);
  const poison = randomChange(random);
  const [, { bytes, residuals }] = played([randomChange(random), change]) as [
    unknown,
    ReturnType<typeof played>[number],
  ];
  // What it sends is honest, and what it keeps for the next round is not.
  const after = withUnits(residuals.after, (units) => {
    for (const [i, value] of poison.entries()) if (Math.abs(value) > 0.1) units[i]! += value * 2 ** 24;
  });
  const rounded = Vector.fromNumbers(after.toNumbers());
  const forged = signedFor(bytes, rounded);
  assert.ok(leaves(forged, rounded, sha()));
  assert.ok(!comesFrom(forged, change, rules, { residuals: { ...residuals, after: rounded } }));
  // Small values alone, below those that are sent: the update is one that an encoder gives.
  const small = Vector.fromNumbers(residuals.after.toNumbers().map((value) => value / 2));
  const quiet = signedFor(bytes, small);
  assert.ok(!comesFrom(quiet, change, rules, { residuals: { ...residuals, after: small } }));
});

test("a false residual is found where it is signed, and in no later round: what it lets out is the strategy's to judge", () => {
  const random = new Random("residual smuggled");
  const [change, next] = [randomChange(random), randomChange(random)];
  const honest = encode(change, rules.update);
  const poison = Vector.fromNumbers(honest.residual!.toNumbers().map((value) => -value));
  const forged = signedFor(honest.bytes, poison);
  assert.ok(!comesFrom(forged, change, rules, { residuals: { before: undefined, after: poison } }));
  const later = encode(next, rules.update, poison);
  assert.ok(comesFrom(later.bytes, next, rules, { residuals: { before: poison, after: later.residual! } }));
});

test("an update of another training, of other values than the largest, or of another form is found", () => {
  const random = new Random("residual cheats");
  const [first, change] = [randomChange(random), randomChange(random)];
  const before = encode(first, rules.update).residual!;
  const cheat = encodeRest(
    change.map((value) => -value),
    before,
    { keep: KEEP, hasher: sha() },
  );
  assert.ok(!comesFrom(cheat.bytes, change, rules, { residuals: { before, after: cheat.residual } }));
  // The same values, cut to fewer.
  const few = encodeRest(change, before, { keep: KEEP - 1, hasher: sha() });
  assert.ok(!comesFrom(few.bytes, change, rules, { residuals: { before, after: few.residual } }));
  const int8 = encode(change, "int8").bytes;
  assert.ok(!comesFrom(int8, change, rules, { residuals: { before, after: new Vector(LENGTH) } }));
  // Without what was left before.
  const honest = encodeRest(change, before, { keep: KEEP, hasher: sha() });
  const residuals = { before: undefined, after: honest.residual };
  assert.ok(!comesFrom(honest.bytes, change, rules, { residuals }));
  assert.ok(!comesFrom(honest.bytes, change, rules));
});

test("a change that is no number has no update", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => encode(new Float64Array(10).fill(value), rules.update), { code: "UPDATE_INVALID" });
});
