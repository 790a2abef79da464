import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { modes } from "../../../src/protocol/job/state.ts";
import { contractWindows } from "../../../src/protocol/limits.ts";
import { postedWindows, refuseOwnWindows } from "../../../src/protocol/policy/outline.ts";
import { policySchema } from "../../../src/protocol/policy/policy.ts";
import {
  type AllWindows,
  callSeconds,
  fetchSeconds,
  hasTimeToRepeat,
  INCLUSION_BLOCKS,
  type Pace,
  refuseWindows,
  runsIn,
  STUCK_SECONDS,
  TRIES,
  WORK_SECONDS,
  windowBounds,
} from "../../../src/protocol/policy/windows.ts";
import { type JobFile, jobFileSchema } from "../../../src/protocol/task/spec.ts";

const pace = fc.record({
  blockSeconds: fc.double({ min: 0.1, max: 60, noNaN: true }),
  confirmations: fc.integer({ min: 1, max: 64 }),
});
const work = fc.record({
  time: fc.integer({ min: 1, max: 86_400 }),
  fetchBytes: fc.integer({ min: 0, max: 2 ** 35 }),
});
const calls = ["appoint", "commit", "reveal", "claim", "challenge", "appeal"] as const;

/** What can delay one honest call; `worst` has every delay. */
interface Luck {
  /** Blocks until the transaction of each try is included. */
  readonly inclusion: readonly number[];
  /** Blocks until a reorganisation that undoes a try is noticed; later tries are not undone. */
  readonly reorganisations: readonly number[];
  readonly stuck: boolean;
  readonly workSeconds: number;
}

const luckOn = ({ confirmations }: Pace): fc.Arbitrary<Luck> =>
  fc.record({
    inclusion: fc.array(fc.integer({ min: 1, max: INCLUSION_BLOCKS }), {
      minLength: TRIES,
      maxLength: TRIES,
    }),
    reorganisations: fc.array(fc.integer({ min: 1, max: confirmations }), { maxLength: TRIES - 1 }),
    stuck: fc.boolean(),
    workSeconds: fc.double({ min: 0, max: WORK_SECONDS, noNaN: true }),
  });
const worst = ({ confirmations }: Pace): Luck => ({
  inclusion: Array<number>(TRIES).fill(INCLUSION_BLOCKS),
  reorganisations: Array<number>(TRIES - 1).fill(confirmations),
  stuck: true,
  workSeconds: WORK_SECONDS,
});

/** Seconds from the event that opens a window to the block that keeps the call, event by event. */
function playCall({ blockSeconds, confirmations }: Pace, luck: Luck, ownSeconds: number): number {
  let blocks = confirmations; // until the event is deep enough
  let seconds = luck.workSeconds + ownSeconds;
  for (const [tried, inclusion] of luck.inclusion.entries()) {
    if (tried === 0 && luck.stuck) seconds += STUCK_SECONDS;
    blocks += inclusion;
    const undone = luck.reorganisations[tried];
    if (undone === undefined) break;
    blocks += undone;
  }
  return blocks * blockSeconds + seconds;
}

const rule = policySchema.parse({ minWindow: "0s", slack: "0s" });

describe("an honest party", () => {
  it("meets every deadline within bounds, with any delay of the chain", () => {
    const scene = fc
      .record({
        pace,
        work,
        mode: fc.constantFrom(...modes),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
      })
      .chain((one) => fc.record({ ...mapped(one), luck: luckOn(one.pace) }));
    fc.assert(
      fc.property(scene, ({ pace, work, mode, share, luck }) => {
        const bounds = windowBounds(rule, pace, mode, work);
        for (const name of [...calls, "run"] as const) {
          const { least, most } = bounds[name];
          const window = Math.floor(least + share * Math.max(0, most - least));
          assert.ok(playCall(pace, luck, ownSeconds(name, mode, work)) <= window, name);
        }
      }),
    );
  });

  it("can miss a deadline that is a second below its bound", () => {
    fc.assert(
      fc.property(pace, work, fc.constantFrom(...modes), (pace, work, mode) => {
        const bounds = windowBounds(rule, pace, mode, work);
        for (const name of [...calls, "run"] as const) {
          if (name !== "run" && callSeconds(pace) <= contractWindows[name]) continue; // the contract's floor holds
          const took = playCall(pace, worst(pace), ownSeconds(name, mode, work));
          assert.ok(took + 1e-6 > bounds[name].least - 1, name); // a whole second, for the rounding
        }
      }),
    );
  });
});

const mapped = <T extends object>(one: T) =>
  Object.fromEntries(Object.entries(one).map(([key, value]) => [key, fc.constant(value)])) as {
    [K in keyof T]: fc.Arbitrary<T[K]>;
  };

/** Seconds of a step's work, without its call. */
function ownSeconds(
  name: keyof AllWindows,
  mode: (typeof modes)[number],
  one: { time: number; fetchBytes: number },
) {
  if (name === "run") return runsIn(mode) * one.time;
  return name === "commit" ? 3 * one.time + fetchSeconds(one.fetchBytes) : 0;
}

describe("a policy's bounds on windows", () => {
  const chain = { blockSeconds: 2, confirmations: 3 };
  const task = { time: 600, fetchBytes: 2 ** 28 };
  const bounds = windowBounds(policySchema.parse({}), chain, "evaluate", task);

  it("are at or above the floors of the contract", () => {
    const solidity = readFileSync(
      new URL("../../../contracts/libraries/Schedule.sol", import.meta.url),
      "utf8",
    );
    for (const [name, floor] of Object.entries(contractWindows)) {
      const declared = new RegExp(`constant MIN_${name.toUpperCase()} = (\\d+);`).exec(solidity)?.[1];
      assert.equal(Number(declared), floor, name);
      assert.ok(bounds[name as keyof AllWindows].least >= floor);
      const lax = windowBounds(rule, { blockSeconds: 0.1, confirmations: 1 }, "digest");
      assert.ok(lax[name as keyof AllWindows].least >= floor);
    }
  });

  it("leave ten minutes for a call on a fast chain, and more on a slow one", () => {
    assert.equal(bounds.reveal.least, 600);
    const slow = { blockSeconds: 12, confirmations: 12 };
    assert.equal(windowBounds(policySchema.parse({}), slow, "evaluate").reveal.least, callSeconds(slow));
    assert.ok(callSeconds(slow) > 600);
  });

  it("make a run window hold its runs and a commit window a validation", () => {
    assert.equal(bounds.run.least, 3 * 600 + 300);
    assert.equal(windowBounds(policySchema.parse({}), chain, "replicate", task).run.least, 600 + 300);
    assert.equal(bounds.commit.least, 600 + 3 * 600 + fetchSeconds(2 ** 28));
  });

  for (const name of [...calls, "run", "accept"] as const) {
    it(`refuse a window to ${name} outside them, and none within`, () => {
      const { least, most } = bounds[name];
      const code = (seconds: number) => refuseWindows({ [name]: seconds }, bounds)?.code;
      assert.deepEqual([code(least), code(most)], [undefined, undefined]);
      assert.equal(code(most + 1), "WINDOW_TOO_LONG");
      if (least > 0) assert.equal(code(least - 1), "WINDOW_TOO_SHORT");
      assert.equal(refuseWindows({ [name]: most + 1 }, bounds)?.fix?.field, `windows.${name}`);
    });
  }
});

describe("the windows that a job is posted with", () => {
  const posted = ["evaluate", "replicate", "digest"] as const;
  const file = (change: object = {}): JobFile =>
    jobFileSchema.parse({
      ...{ version: 1, name: "a", image: "x", command: ["x"], inputs: ["x"], outputs: ["y"] },
      verification: { threshold: 0 },
      ...change,
    });

  it("are within bounds on any chain, unless job.yaml says otherwise", () => {
    fc.assert(
      fc.property(pace, work, fc.constantFrom(...posted), (pace, { time, fetchBytes }, mode) => {
        const base = file({ verification: { threshold: 0, mode } });
        const sized = { ...base, resources: { ...base.resources, time } };
        const windows = postedWindows(sized, { pace }, fetchBytes);
        const asked = { ...sized.resources, bundleBytes: fetchBytes };
        const refusal = refuseOwnWindows(windows, mode, { pace }, asked);
        assert.equal(refusal, undefined, JSON.stringify(refusal));
      }),
    );
  });

  it("are within the bounds of parties that measure blocks twice as slow", () => {
    fc.assert(
      fc.property(pace, work, fc.constantFrom(...posted), (pace, { time }, mode) => {
        const base = file({ verification: { threshold: 0, mode } });
        const sized = { ...base, resources: { ...base.resources, time } };
        const { accept: _, ...windows } = postedWindows(sized, { pace });
        const slower = { ...pace, blockSeconds: 2 * pace.blockSeconds };
        const asked = { time, fetchBytes: sized.resources.disk };
        const bounds = windowBounds(policySchema.parse({}), slower, mode, asked);
        assert.equal(refuseWindows(windows, bounds)?.code, undefined);
      }),
    );
  });

  it("leave time to repeat runs that failed early, at half the speed, and no others", () => {
    const { run } = postedWindows(file({ resources: { time: "1h" } }), {
      pace: { blockSeconds: 2, confirmations: 3 },
    });
    assert.ok(hasTimeToRepeat(3600, run - 3600));
    assert.ok(!hasTimeToRepeat(3600, 2 * 3600 + 299));
    assert.ok(hasTimeToRepeat(1, 302));
  });

  it("follow the time of one run, unless job.yaml gives the window", () => {
    const chain = { pace: { blockSeconds: 2, confirmations: 3 } };
    assert.equal(postedWindows(file({ resources: { time: "2h" } }), chain).run, 3 * 7200 + 600);
    const replicate = file({ resources: { time: "2h" }, verification: { threshold: 0, mode: "replicate" } });
    assert.equal(postedWindows(replicate, chain).run, 7200 + 600);
    assert.equal(postedWindows(file({ windows: { run: "9h" } }), chain).run, 9 * 3600);
    const short = file({ windows: { claim: "1s" } });
    const refusal = refuseOwnWindows(postedWindows(short, chain), "evaluate", chain, short.resources);
    assert.deepEqual(
      [refusal?.code, refusal?.fix],
      ["WINDOW_TOO_SHORT", { field: "windows.claim", value: "10m" }],
    );
  });
});
