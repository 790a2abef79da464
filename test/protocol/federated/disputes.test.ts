import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnderpaid, isWorthABond } from "../../../src/protocol/federated/market/dispute/grounds.ts";
import type { FederatedEvent } from "../../../src/protocol/federated/market/events.ts";
import { federatedExitsOf } from "../../../src/protocol/federated/market/exits.ts";
import { federatedJobFileSchema, jobRulesSchema } from "../../../src/protocol/federated/market/file.ts";
import { foldFederated, memberOf } from "../../../src/protocol/federated/market/fold.ts";
import { challengeBy, type FederatedJob, isContested } from "../../../src/protocol/federated/market/job.ts";
import { kitDigest } from "../../../src/protocol/federated/market/seat-messages.ts";
import type { FederatedTerms } from "../../../src/protocol/federated/market/terms.ts";
import { CONDEMNED_SHARE, sameTraining } from "../../../src/protocol/federated/replay.ts";
import { type Address, type Hex, ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import { random32 } from "../../support/chain/terms.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;
const account = (digit: string) => `0x${digit.repeat(40)}` as Address;
const [requester, provider, other, seat, second] = ["a", "1", "2", "b", "c"].map(account) as [
  Address,
  Address,
  Address,
  Address,
  Address,
];
const terms: FederatedTerms = {
  ...{ requester, token: ZERO_ADDRESS, roundPrice: 1000n, seatFee: 10n, providerStake: 50n, seatStake: 50n },
  ...{ rounds: 3, least: 2, places: 2, seats: 2, enlistBy: 100, roundWindow: 600, disputeWindow: 300 },
  ...{ specHash: random32(), bundleRoot: random32(), seedHash: random32() },
  refunds: false,
};
const strike = { provider, round: 1, upload: random32() };
const closing = {
  ...{ round: 1, updatesRoot: random32(), modelDigest: random32(), modelRoot: random32() },
  ...{ payRoot: random32(), blindedKey: random32(), ledgerTip: random32() },
};
const closed = { closing, closedAt: 1000, asserted: 1, signers: [seat, second], previous: NOTHING };

function folded(...events: FederatedEvent[]): FederatedJob {
  const begun: FederatedEvent[] = [
    { kind: "posted", id: random32(), terms, sealed: "0x", block: 1 },
    ...[provider, other].map((one) => ({ kind: "enlisted" as const, provider: one })),
    ...[seat, second].map((one) => ({ kind: "seated" as const, seat: one })),
    { kind: "firstOpened", deadline: 700 },
  ];
  return [...begun, ...events].reduce<FederatedJob | undefined>(foldFederated, undefined)!;
}

const struck: FederatedEvent = { kind: "struck", strike, signers: [seat, second], appealBy: 1300 };
const appealed: FederatedEvent = {
  ...{ kind: "disputed", about: provider, challenger: provider, round: 1, drawBlock: 9 },
};
const challenged: FederatedEvent = { ...appealed, about: undefined, challenger: requester };
const concluded = (about: Address | undefined, stands: boolean): FederatedEvent => ({
  ...{ kind: "disputeConcluded", about, decided: true, stands },
});

test("what others have of a cheat's stake waits until that is taken", () => {
  const ended: FederatedEvent = { kind: "ended", cause: "cheated", closed: 0, deadline: 1300 };
  const job = folded(struck, ended);
  const ofRefunds = { ...job, terms: { ...terms, refunds: true } };
  const without = (one: FederatedJob) => ({
    ...one,
    members: one.members.filter(({ seat: isSeat }) => !isSeat),
  });
  const exits = (one: FederatedJob, now: number) =>
    federatedExitsOf(without(one), { now, block: 5 }).map(({ kind }) => kind);
  const late = { ...ofRefunds, deadline: 1200 };
  assert.deepEqual(exits(late, 1250), [], "the strike can be appealed");
  assert.deepEqual(exits({ ...late, terms }, 1250), ["release"]);
  assert.deepEqual(exits(late, 1301), ["release"], "of the one that was struck");
});

test("a job knows its disputes, what became of them, and whose stake waits for them", () => {
  const closedRound: FederatedEvent = { kind: "roundClosed", closed };
  const ended: FederatedEvent = { kind: "ended", cause: "completed", closed: 1, deadline: 1300 };
  const accused = folded(struck, closedRound, ended);
  assert.equal(isContested(accused, 1300), true);
  assert.equal(isContested(accused, 1301), false);
  const open = folded(struck, closedRound, ended, appealed);
  assert.deepEqual([open.disputes[0]!.number, memberOf(open, provider)!.standing], [0, "appealing"]);
  assert.equal(isContested(open, 5000), true);
  const released = { ...open, members: open.members.filter((one) => one.standing !== "enlisted") };
  assert.deepEqual(federatedExitsOf(released, { now: 5000, block: 5 }), [], "seats answer for their strike");
  const cleared = folded(struck, closedRound, ended, appealed, concluded(provider, false));
  assert.deepEqual(
    cleared.members.map(({ standing }) => standing),
    ["enlisted", "enlisted", "slashed", "slashed"],
  );
  assert.deepEqual(cleared.judged, [
    { number: 0, about: provider, challenger: provider, round: 1, decided: true, stands: false },
  ]);

  const resumed: FederatedEvent = { kind: "resumed", state: "Running", deadline: 2600 };
  const confirmed = folded(closedRound, challenged, concluded(undefined, true), resumed);
  assert.deepEqual([confirmed.state, confirmed.resumedAt], ["Running", 2000]);
  assert.equal(challengeBy(folded(closedRound), 1), 1300);
  assert.equal(challengeBy(confirmed, 1), 2300, "a dispute gives every closing another window");
});

test("every upload that a provider asserted is kept", () => {
  const asserted = (round: number): FederatedEvent => ({
    ...{ kind: "uploadAsserted", provider, round, upload: strike.upload },
  });
  const { assertions } = memberOf(folded(asserted(1), asserted(2)), provider)!;
  assert.deepEqual(
    assertions.map(({ round }) => round),
    [1, 2],
  );
});

test("a closing that pays less than its own figures is seen, one that measured low is not", () => {
  const upload = random32();
  const member = (one: Address, accuracy: number, weight: number, sent = random32()) => ({
    ...{ provider: one, upload: sent, rows: 10, accuracy, weight, audit: "none" as const },
  });
  const judged = (paid: bigint, ...members: ReturnType<typeof member>[]) =>
    isUnderpaid(
      {
        round: 2,
        members,
        earned: new Map([[provider, 100n + paid]]),
        earnedBefore: new Map([[provider, 100n]]),
      },
      { provider, upload, roundPrice: 1000n },
    );
  const half = [member(provider, 500_000, 10, upload), member(other, 500_000, 10)] as const;
  assert.equal(judged(490n, ...half), false);
  assert.equal(judged(489n, ...half), true);
  // Of either rule of pay the one that gives less: the other's update was left out of the model.
  assert.equal(judged(490n, half[0], member(other, 500_000, 0)), false);
  assert.equal(judged(0n, member(provider, 900_000, 0, upload), half[1]), false, "it was left out");
  assert.equal(judged(0n, member(provider, 900_000, 10), half[1]), false, "another update than its own");
});

test("a challenge is worth its bond by how sure a provider is", () => {
  assert.equal(isWorthABond(terms, 1, 0.9), true);
  assert.equal(isWorthABond(terms, 64, 0.9), false);
  assert.equal(isWorthABond(terms, 1, 0), false);
  assert.equal(isWorthABond(terms, 0, 1), false, "no one shares");
});

test("a kit has one digest, by its rules, its files and its seed", () => {
  const file = federatedJobFileSchema.parse({
    ...{ version: 1, name: "digits", image: "python-ml", command: ["train"], inputs: ["task.py"] },
    federated: {
      ...{ providers: 4, rounds: 5, model: "start.safetensors", pool: 1, strategy: "fedavg", validators: 1 },
      ...{ train: { file: "train.npz" }, test: { file: "test.npz" } },
    },
  });
  const rules = jobRulesSchema.strip().parse(file.federated);
  const [files, seed] = [random32(), random32()];
  const digest = kitDigest(rules, files, seed);
  assert.equal(kitDigest(JSON.parse(JSON.stringify(rules)), files, seed), digest);
  for (const changed of [
    kitDigest({ ...rules, quorum: 0.5 }, files, seed),
    kitDigest(rules, random32(), seed),
    kitDigest(rules, files, random32()),
  ])
    assert.notEqual(changed, digest);
});

test("a panel confirms a strike with half of the differences that seats strike for", () => {
  const sent = new Float64Array(10_000);
  const replayed = (differing: number) => sent.map((_, i) => (i < differing ? 1 : 0));
  assert.deepEqual(
    [5, 6, 10, 11].map((count) => [
      sameTraining(sent, replayed(count)),
      sameTraining(sent, replayed(count), CONDEMNED_SHARE),
    ]),
    [
      [true, true],
      [true, false],
      [true, false],
      [false, false],
    ],
  );
});
