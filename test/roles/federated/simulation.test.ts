import assert from "node:assert/strict";
import { test } from "node:test";
import { badKinds, trialFileSchema } from "../../../src/protocol/federated/job-file.ts";
import { readLedger } from "../../../src/protocol/federated/ledger/ledger.ts";
import { strategyNames } from "../../../src/protocol/federated/strategies.ts";
import { loadTrialData } from "../../../src/roles/federated/data/load.ts";
import { Random } from "../../../src/roles/federated/data/random.ts";
import { generateSamples, packSamples } from "../../../src/roles/federated/data/samples.ts";
import { noiseCommitment, noiseSeed, withNoise } from "../../../src/roles/federated/privacy/noise.ts";
import { SimulatedLedger } from "../../../src/roles/federated/simulation/keep-ledger.ts";
import { firstWeights, Network, parametersOf } from "../../../src/roles/federated/simulation/network.ts";
import { type PlayedRound, simulate } from "../../../src/roles/federated/simulation/simulate.ts";

interface Wanted {
  readonly federated?: Record<string, unknown>;
  readonly simulation?: Record<string, unknown>;
}

async function play(wanted: Wanted): Promise<PlayedRound[]> {
  return (await playOnRecord(wanted)).rounds;
}

/** The rounds, and the lines of the ledger. */
async function playOnRecord({ federated = {}, simulation = {} }: Wanted) {
  const file = trialFileSchema.parse({
    version: 1,
    name: "clouds",
    federated: { providers: 6, rounds: 4, local: { lr: 0.1 }, ...federated },
    simulation: {
      train: { generated: { rows: 1200, features: 16, classes: 4, spread: 1.2 } },
      hidden: 16,
      root: 60,
      ...simulation,
    },
  });
  const data = await loadTrialData(file, ".");
  const ledger = new SimulatedLedger(file, data);
  const lines: object[] = [ledger.header];
  const rounds: PlayedRound[] = [];
  for await (const round of simulate(file, data)) {
    rounds.push(round);
    lines.push(...ledger.add(round));
  }
  return { rounds, lines: lines.map((line) => JSON.stringify(line)) };
}

const cloudShape = { features: 16, hidden: 16, classes: 4 };
const cloudLocal = { batch: 16, lr: 0.1, schedule: "constant", prox: 0 } as const;

const paid = (rounds: readonly PlayedRound[], bad: boolean): bigint =>
  rounds
    .flatMap(({ outcomes }) => outcomes)
    .filter(({ actor }) => (actor.bad !== undefined) === bad)
    .reduce((sum, { pay }) => sum + pay, 0n);

test("a step of the network is the gradient's, by finite differences", () => {
  const shape = { features: 3, hidden: 16, classes: 3 };
  const samples = packSamples([0.5, 0, -1, 1, 2, 0], Uint8Array.of(2, 0), {
    features: 3,
    classes: 3,
    scale: 1,
  });
  const weights = firstWeights(shape, new Random("w"));
  const rows = Uint32Array.of(0, 1);
  const network = new Network(shape, 2);
  const lossAt = (vector: Float64Array) => {
    network.load(vector);
    return network.measure(samples, rows).loss;
  };
  network.load(weights);
  const lr = 1e-3;
  network.train(samples, rows, { epochs: 1, batch: 2, lr, schedule: "constant", prox: 0 }, new Random("t"));
  const step = network.changeSince(weights);
  for (let i = 0; i < parametersOf(shape); i++) {
    const [up, down] = [weights.slice(), weights.slice()];
    up[i]! += 0.01;
    down[i]! -= 0.01;
    const slope = (lossAt(up) - lossAt(down)) / 0.02;
    assert.ok(Math.abs(step[i]! / -lr - slope) < 5e-3, `parameter ${i}: ${step[i]! / -lr}, not ${slope}`);
  }
});

test("the same seed plays the same trial, another seed another", async () => {
  const [one, two] = [await play({}), await play({})];
  assert.deepEqual([...one.at(-1)!.model.units], [...two.at(-1)!.model.units]);
  const other = await play({ simulation: { seed: 2 } });
  assert.notDeepEqual([...one.at(-1)!.model.units], [...other.at(-1)!.model.units]);
});

for (const strategy of strategyNames) {
  test(`honest providers learn together by ${strategy}`, async () => {
    // Adam moves every parameter by a hundredth a round, whatever the change: it takes more of them.
    const rounds = await play({ federated: { strategy, rounds: strategy === "adam" ? 20 : 6 } });
    assert.ok(rounds.at(-1)!.accuracy > 0.7, String(rounds.at(-1)!.accuracy));
    assert.equal(paid(rounds, false) + rounds.reduce((sum, { rest }) => sum + rest, 0n), 10n ** 18n);
  });
}

for (const bad of badKinds) {
  test(`a replay finds the provider that plays ${bad}, or its update is missing, and honest ones are never proven`, async () => {
    const rounds = await play({ federated: { audit: 6 }, simulation: { bad: { [bad]: 2 } } });
    const outcomes = rounds.flatMap((round) => round.outcomes);
    assert.ok(outcomes.every(({ actor, audit }) => (audit === "proven" ? actor.bad !== undefined : true)));
    for (const { actor, audit, sent, pay, taken } of outcomes) {
      if (actor.bad === undefined) continue;
      assert.ok(audit === "proven" || sent === undefined, audit);
      assert.equal(pay, 0n);
      assert.equal(taken, false);
    }
    assert.ok(paid(rounds, false) > 0n);
  });
}

test("one who multiplies its update ruins fedavg and not the gate", async () => {
  const bad = { sign5: 2 };
  const control = await play({ federated: { strategy: "fedavg", audit: "off" }, simulation: { bad } });
  const gated = await play({ federated: { strategy: "gate", audit: "off" }, simulation: { bad } });
  assert.ok(control.at(-1)!.accuracy < 0.5, String(control.at(-1)!.accuracy));
  assert.ok(gated.at(-1)!.accuracy > 0.7, String(gated.at(-1)!.accuracy));
});

test("a setting that the strategy does not have is refused", async () => {
  await assert.rejects(play({ federated: { strategy: "gate", settings: { trim: 100 } } }), /no setting/);
});

test("with refund a proven cheat ends the job, unpaid", async () => {
  const rounds = await play({
    federated: { audit: 6, onCheat: "refund", pool: 0.13, deposit: 0.001 },
    simulation: { bad: { sign: 3 } },
  });
  assert.equal(rounds.length, 1);
  const cheats = rounds[0]!.outcomes.filter(({ actor }) => actor.bad !== undefined);
  assert.deepEqual(rounds[0]!.end, {
    refund: 13n * 10n ** 16n,
    banned: cheats.map(({ actor }) => actor.account),
    award: 10n ** 15n,
    rest: 0n,
  });
  assert.ok(rounds[0]!.refunded);
  assert.equal(paid(rounds, false) + paid(rounds, true), 0n);
});

test("a price rule says what the whole job pays", async () => {
  // 1,200 rows of 16 features and a label are 78,000 bytes; the network has 340 parameters, 960 rows are not hidden.
  for (const [pool, price] of [
    ["size", 78n * 10n ** 14n],
    ["complexity", 78n * 10n ** 14n + 6n * 340n * 960n * 4n * 1000n],
  ] as const) {
    const rounds = await play({ federated: { pool } });
    assert.equal(rounds[0]!.price, price);
    const spent = paid(rounds, false) + rounds.reduce((sum, { rest }) => sum + rest, 0n);
    assert.equal(spent, price);
  }
});

test("top-k updates are less than a quarter of int8's and teach the same", async () => {
  const rounds = await play({ federated: { update: { topk: 0.03 }, rounds: 10 } });
  const whole = await play({ federated: { rounds: 1 } });
  const bytes = (played: readonly PlayedRound[]) => played[0]!.outcomes[0]!.sent!.length;
  assert.ok(bytes(rounds) * 4 < bytes(whole), `${bytes(rounds)} of ${bytes(whole)}`);
  assert.ok(rounds.at(-1)!.accuracy > 0.7, String(rounds.at(-1)!.accuracy));
});

test("replays of top-k updates prove each cheat, and no honest provider", async () => {
  const bad = { lazy: 1, copy: 1 };
  const federated = { update: { topk: 0.03 }, audit: 6, strategy: "fedavg", onCheat: "continue" };
  const rounds = await play({ federated, simulation: { bad } });
  const found = (isBad: boolean, what: string) =>
    rounds
      .flatMap(({ outcomes }) => outcomes)
      .filter(({ actor, audit }) => (actor.bad !== undefined) === isBad && audit === what).length;
  assert.deepEqual([found(true, "proven"), found(true, "clean")], [2, 0]);
  assert.equal(found(false, "proven"), 0);
  assert.ok(found(false, "clean") > 12);
  assert.equal(paid(rounds, true), 0n);
});

test("the ledger says what was sent, taken and paid, with every kind of cheat and spares in their places", async () => {
  const bad = { drop: 1, garbage: 1, sign5: 1, lazy: 1 };
  const wanted = { federated: { audit: 6, share: "accuracy", onCheat: "continue" }, simulation: { bad } };
  const { rounds, lines } = await playOnRecord(wanted);
  const ledger = readLedger(lines);
  assert.equal(ledger.rounds.length, rounds.length);
  for (const [i, { outcomes }] of rounds.entries()) {
    const { members, uploads } = ledger.rounds[i]!;
    assert.equal(uploads.length, outcomes.filter(({ sent }) => sent !== undefined).length);
    assert.equal(
      members.filter(({ weight }) => weight > 0).length,
      outcomes.filter(({ weight }) => weight > 0).length,
    );
  }
  const all = rounds.flatMap(({ outcomes }) => outcomes).reduce((sum, { pay }) => sum + pay, 0n);
  const recorded = [...ledger.rounds.at(-1)!.earned.values()].reduce((sum, one) => sum + one, 0n);
  assert.equal(recorded, all);
  // A spare trains on the part of the cheat whose place it takes.
  const dataOf = (round: number) => new Set(ledger.rounds[round]!.uploads.map(({ data }) => data));
  const last = dataOf(rounds.length - 1);
  assert.ok([...dataOf(0)].every((data) => last.has(data)));
  const ended = await playOnRecord({ federated: { audit: 6, onCheat: "refund" }, simulation: { bad } });
  assert.equal(readLedger(ended.lines).rounds.length, ended.rounds.length);
});

test("noise does not spoil a replay, and ε is told after each round", async () => {
  const privacy = { clip: 1, noise: 1 };
  const rounds = await play({
    federated: { audit: 6, strategy: "fedavg", privacy },
    simulation: { bad: { lazy: 1, idle: 1 } },
  });
  for (const { actor, audit } of rounds.flatMap(({ outcomes }) => outcomes)) {
    assert.equal(audit, actor.bad === undefined ? "clean" : "proven");
  }
  const told = rounds.map((round) => round.privacy!.epsilon);
  assert.ok(told.every((epsilon, i) => epsilon > (told[i - 1] ?? 0)));
  const quiet = await play({ federated: { audit: 6, strategy: "fedavg", privacy: { clip: 1 } } });
  assert.ok(quiet.every((round) => round.privacy === undefined));
  assert.ok(quiet.at(-1)!.accuracy > 0.6, String(quiet.at(-1)!.accuracy));
});

test("noise is normal, its own in each round, and what its header commits to", () => {
  const secret = new Uint8Array(32).fill(7);
  const [one, two] = [noiseSeed(secret, "job", 1), noiseSeed(secret, "job", 2)];
  assert.notDeepEqual(one, two);
  assert.equal(noiseCommitment(one).length, 32);
  const zeros = new Float64Array(40_000);
  const values = withNoise(zeros, { clip: 2, noise: 0.5, delta: 1e-5 }, one);
  assert.deepEqual(values, withNoise(zeros, { clip: 2, noise: 0.5, delta: 1e-5 }, one));
  const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length;
  // Deviations of these means are 0.005, 0.007 and 0.05.
  assert.ok(Math.abs(moment(1)) < 0.025, String(moment(1)));
  assert.ok(Math.abs(moment(2) - 1) < 0.035, String(moment(2)));
  assert.ok(Math.abs(moment(4) - 3) < 0.25, String(moment(4)));
});

test("distillation sends a score for each public row and class, whatever the model's size", async () => {
  for (const hidden of [16, 64]) {
    const simulation = { hidden, public: 100 };
    const [round] = await play({ federated: { strategy: "distillation", rounds: 1 }, simulation });
    const values = 100 * 4;
    assert.ok(round!.outcomes.every(({ sent }) => sent!.length === 48 + values + Math.ceil(values / 256)));
  }
});

test("distillation teaches a network what another one says, without labels", () => {
  const wanted = { rows: 300, features: 16, classes: 4, spread: 1.2 };
  const train = generateSamples(wanted, new Random("clouds"));
  const rows = Uint32Array.from({ length: 300 }, (_, i) => i);
  const [teacher, pupil] = [0, 1].map(() => new Network(cloudShape, 16)) as [Network, Network];
  teacher.load(firstWeights(cloudShape, new Random("a")));
  teacher.train(train, rows, { ...cloudLocal, epochs: 5 }, new Random("b"));
  const scores = teacher.scoresOf(train, rows);
  pupil.load(firstWeights(cloudShape, new Random("c")));
  const apart = () =>
    pupil.scoresOf(train, rows).reduce((sum, score, i) => sum + (score - scores[i]!) ** 2, 0);
  const before = apart();
  pupil.distil(
    { ...train, labels: new Uint8Array(300) },
    rows,
    scores,
    { ...cloudLocal, epochs: 30 },
    new Random("d"),
  );
  assert.ok(apart() < before / 4, `${before} ${apart()}`);
  const own = teacher.measure(train, rows).accuracy;
  assert.ok(pupil.measure(train, rows).accuracy > own - 0.05);
});

test("a sample of the providers takes part in each round, and no other is measured, paid or replayed", async () => {
  const rounds = await play({ federated: { sample: 0.5, rounds: 8, strategy: "gate" } });
  assert.ok(rounds.every(({ outcomes }) => outcomes.length === 3));
  const taking = new Set(rounds.flatMap(({ outcomes }) => outcomes.map(({ actor }) => actor.account)));
  assert.equal(taking.size, 6);
  const sets = new Set(rounds.map(({ outcomes }) => outcomes.map(({ actor }) => actor.account).join()));
  assert.ok(sets.size > 3);
  assert.ok(rounds.at(-1)!.accuracy > 0.7, String(rounds.at(-1)!.accuracy));
  const { lines } = await playOnRecord({
    federated: { sample: 0.5, audit: 6 },
    simulation: { bad: { sign: 2 } },
  });
  assert.equal(readLedger(lines).rounds.length, 4);
});
