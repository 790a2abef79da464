import assert from "node:assert/strict";
import { test } from "node:test";
import { PIECE_BYTES } from "../../../../src/protocol/limits.ts";
import {
  corruptPiece,
  forbidden,
  hostUnreachable,
  stalled,
  truncatedPiece,
} from "../../../../src/transfer/pieces/errors.ts";
import { chooseRange } from "../../../../src/transfer/pieces/reading/choose-range.ts";
import { Faults } from "../../../../src/transfer/pieces/reading/faults.ts";
import { LaneCount, lanesFor } from "../../../../src/transfer/pieces/reading/lanes/lane-count.ts";
import { RateMeter } from "../../../../src/transfer/pieces/reading/lanes/rate-meter.ts";
import { median, stalledLanes } from "../../../../src/transfer/pieces/reading/lanes/stall.ts";
import { PiecePlan } from "../../../../src/transfer/pieces/reading/piece-plan.ts";
import { Progress } from "../../../../src/transfer/pieces/reading/progress.ts";
import { defaultTuning as tuning } from "../../../../src/transfer/pieces/reading/tuning.ts";
import { LookUps } from "../../../../src/transfer/pieces/reading/waiting.ts";

const MIB = 1 << 20;

/** Numbers of lanes in turn, on a path whose aggregate rate depends on the number of lanes. */
function climb(rateOf: (lanes: number) => number, seconds: number): number[] {
  const count = new LaneCount(tuning, 0);
  const seen = [count.target];
  let bytes = 0;
  for (let now = 500; now <= seconds * 1000; now += 500) {
    bytes += rateOf(count.target) / 2;
    count.observe(now, bytes, Infinity);
    if (count.target !== seen.at(-1)) seen.push(count.target);
  }
  return seen;
}

test("lanes are added while the aggregate rate rises, up to 32", () => {
  assert.deepEqual(
    climb((lanes) => lanes * MIB, 70),
    [8, 12, 16, 20, 24, 28, 32],
  );
});

test("a step that does not raise the rate is taken back and not repeated at once", () => {
  assert.deepEqual(
    climb((lanes) => Math.min(lanes, 12) * MIB, 40),
    [8, 12, 16, 12],
  );
});

test("no lane is added when the download is about to end", () => {
  const count = new LaneCount(tuning, 0);
  for (let now = 500; now <= 60_000; now += 500) count.observe(now, now * 1000, 5);
  assert.equal(count.target, 8);
});

const lane = { busySince: 0, lastByteAt: 0, rttMs: 100, rate: MIB };

test("a lane is stalled after 10 s without a byte, or 4 round trips if that is longer", () => {
  const quick = { ...lane, lastByteAt: 50_000 };
  const far = { ...quick, rttMs: 5_000 };
  assert.deepEqual(stalledLanes([quick, far], 60_000, tuning), []);
  assert.deepEqual(stalledLanes([quick, far], 60_001, tuning), [quick]);
  assert.deepEqual(stalledLanes([quick, far], 70_001, tuning), [quick, far]);
});

test("a lane that has never answered is stalled only after the time to connect", () => {
  const fresh = { ...lane, rttMs: undefined };
  assert.deepEqual(stalledLanes([fresh], tuning.connectMs, tuning), []);
  assert.deepEqual(stalledLanes([fresh], tuning.connectMs + 1, tuning), [fresh]);
});

test("a lane below a quarter of the median for 20 s is slow; two lanes are too few to compare", () => {
  const now = 30_000;
  const busy = { ...lane, lastByteAt: now };
  const slow = { ...busy, rate: MIB / 4 - 1 };
  const young = { ...slow, busySince: now - 19_000 };
  assert.deepEqual(stalledLanes([busy, busy, busy, slow, young], now, tuning), [slow]);
  assert.deepEqual(stalledLanes([busy, slow], now, tuning), []);
});

test("the median of an even number of rates lies between the middle two", () => {
  assert.deepEqual([median([]), median([3]), median([1, 9, 2]), median([4, 1, 3, 2])], [0, 3, 2, 2.5]);
});

test("one piece corrupted three times ends the transfer, several corrupted once do not", () => {
  const faults = new Faults(tuning, 0);
  for (const piece of [1, 2, 3, 4]) assert.equal(faults.record(corruptPiece(piece), piece), undefined);
  assert.equal(faults.record(corruptPiece(4), 4), undefined);
  assert.equal(faults.record(corruptPiece(4), 4)?.code, "TRANSFER_CORRUPT_PIECE");
});

test("faults of a piece no longer count once it is verified", () => {
  const faults = new Faults(tuning, 0);
  for (let i = 0; i < 20; i++) {
    assert.equal(faults.record(truncatedPiece(1), 1), undefined);
    faults.clear(1);
  }
});

test("a refused token ends the transfer at once, an unreachable host after three minutes", () => {
  const faults = new Faults(tuning, 0);
  assert.equal(faults.record(forbidden(), -1)?.code, "TRANSFER_FORBIDDEN");
  for (let i = 0; i < 100; i++) assert.equal(faults.record(hostUnreachable(), -1), undefined);
  assert.equal(faults.overdue(tuning.giveUpMs - 1, 0), undefined);
  assert.equal(faults.overdue(tuning.giveUpMs, 0)?.code, "TRANSFER_UNREACHABLE");
});

test("new bytes extend the time limit; fewer than 64 KiB of them are a stall", () => {
  const faults = new Faults(tuning, 0);
  faults.record(stalled(), -1);
  assert.equal(faults.overdue(tuning.giveUpMs - 1, MIB), undefined);
  assert.equal(faults.overdue(2 * tuning.giveUpMs - 2, MIB + 100), undefined);
  assert.equal(faults.overdue(2 * tuning.giveUpMs, MIB + 100)?.code, "TRANSFER_STALLED");
});

test("bytes of a piece that are received again are no progress, those of a slow piece are", () => {
  const shape = {
    root: `0x${"00".repeat(32)}` as const,
    size: 2 * PIECE_BYTES,
    leaves: [1, 2].map(() => Buffer.alloc(32)),
  };
  const progress = new Progress(shape, new Set(), undefined, 0);
  const faults = new Faults(tuning, 0);
  const overdue = (now: number) => faults.overdue(now, progress.fresh, 1)?.code;
  for (let now = 0, bytes = 0; bytes < PIECE_BYTES; now += tuning.giveUpMs / 2, bytes += PIECE_BYTES / 4) {
    progress.reached(0, bytes);
    assert.equal(overdue(now), undefined);
  }
  progress.reached(0, PIECE_BYTES);
  progress.reached(1, 200 * 1024);
  assert.equal(overdue(3 * tuning.giveUpMs), undefined);
  for (const bytes of [100, 200 * 1024, PIECE_BYTES - 1]) progress.reached(0, bytes);
  for (const bytes of [100, 200 * 1024]) progress.reached(1, bytes);
  assert.equal(progress.fresh, PIECE_BYTES + 200 * 1024);
  assert.equal(overdue(4 * tuning.giveUpMs), "TRANSFER_STALLED");
});

test("a rate is measured over the window, or since the start if that is shorter", () => {
  const meter = new RateMeter(10_000, 0);
  meter.add(1000, 100);
  assert.equal(meter.rate(1000), 1000);
  assert.equal(meter.rate(9_999), 1000 / 9.999);
  assert.equal(meter.rate(60_000), 0);
});

test("a request asks for 30 s of its lane, between one piece and 32 MiB, and leaves work for the others", () => {
  const asked = (rate: number, pieces: number, lanes = 8, isFresh = false) => {
    const range = chooseRange(new PiecePlan(pieces, []), { rate, rttMs: 100, lanes, isFresh }, [], tuning)!;
    return range.end - range.start;
  };
  assert.equal(asked(MIB / 10, 4000), 12);
  assert.equal(asked(1000, 1000), 1);
  assert.equal(asked(100 * MIB, 10_000), 128);
  assert.equal(asked(100 * MIB, 64), 4);
  assert.equal(asked(0, 1000), 16);
  assert.equal(asked(MIB / 10, 1000, 8, true), 16, "the rate of a fresh lane says nothing");
});

test("fresh lanes of a distant host ask for equal shares of a small blob", () => {
  const plan = new PiecePlan(128, []);
  const shares = Array.from({ length: 32 }, () => {
    const range = chooseRange(plan, { rate: 0, rttMs: 1000, lanes: 32, isFresh: true }, [], tuning)!;
    return range.end - range.start;
  });
  assert.deepEqual(new Set(shares), new Set([4]));
  assert.equal(plan.unclaimed, 0);
});

test("a blob justifies one lane for every 2 MiB, at a distant host four, 32 and 64 at most", () => {
  const lanes = (mib: number, isFar: boolean) => lanesFor(mib * MIB, isFar, tuning);
  assert.deepEqual([lanes(0, false), lanes(1, false), lanes(32, false), lanes(1000, false)], [1, 1, 16, 32]);
  assert.deepEqual([lanes(0, true), lanes(1, true), lanes(32, true), lanes(1000, true)], [1, 2, 64, 64]);
});

test("an idle lane takes over the tail of the range that would end last, in proportion to the rates", () => {
  const plan = new PiecePlan(20, []);
  const [fast, slow] = [plan.claim(10)!, plan.claim(10)!];
  const others = [
    { range: fast, bytesLeft: 10 * MIB, rate: 10 * MIB },
    { range: slow, bytesLeft: 10 * MIB, rate: MIB },
  ];
  const range = chooseRange(plan, { rate: 2 * MIB, rttMs: 100, lanes: 3, isFresh: false }, others, tuning)!;
  assert.deepEqual([range.start, range.end, slow.end], [14, 20, 14]);
});

test("the last piece is requested again only when the copy would arrive much sooner", () => {
  const plan = new PiecePlan(1, []);
  const last = plan.claim(1)!;
  const idle = { rate: MIB, rttMs: 100, lanes: 2, isFresh: false };
  const view = (rate: number) => [{ range: last, bytesLeft: PIECE_BYTES, rate }];
  assert.equal(chooseRange(plan, idle, view(MIB), tuning), undefined);
  assert.deepEqual(chooseRange(plan, idle, view(MIB / 8), tuning)?.start, 0);
  assert.equal(chooseRange(plan, idle, view(0), tuning), undefined, "two copies are the most");
});

test("a silent host is looked up after 4 s, then 8 s later, and after 4 s again once bytes came", () => {
  const lookUps = new LookUps(4_000, 0);
  const due = (from: number, to: number, bytes: number) => {
    const at: number[] = [];
    for (let now = from; now <= to; now += 500) if (lookUps.due(now, bytes)) at.push(now);
    return at;
  };
  assert.deepEqual(due(500, 40_000, 0), [4_000, 12_000, 28_000]);
  assert.deepEqual(due(40_500, 46_000, 10), [44_500]);
});
