// Plays federated jobs as `ichain simulate` does, three seeds a case, on the 10,000 MNIST digits, and measures accuracy,
// what cheats are paid, and bytes an update; one JSON object on stdout. It takes minutes.
//
//   npm run -s sim:federated -- --data mnist10k.npz                     every case
//   npm run -s sim:federated -- --data mnist10k.npz --cases none,sign5  only these
//   npm run -s sim:federated -- --data mnist10k.npz --seeds 1
//
// Without the file it says so and ends with 0.
import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { parseArgs } from "node:util";
import { trialFileSchema } from "../src/protocol/federated/job-file.ts";
import { loadTrialData } from "../src/roles/federated/data/load.ts";
import { simulate } from "../src/roles/federated/simulation/simulate.ts";

/** A case: what differs from the honest job of ten providers and twenty rounds behind the gate. */
interface Case {
  readonly federated?: Record<string, unknown>;
  readonly bad?: Record<string, number>;
}

const attacks = ["sign5", "sign", "label", "alie", "ipm", "replay", "copy", "lazy", "idle"];
const three = (kind: string): Case => ({ bad: { [kind]: 3 } });
const cases: Readonly<Record<string, Case>> = {
  none: {},
  fedavg: { federated: { strategy: "fedavg" } },
  nesterov: { federated: { outer: { lr: 0.7, momentum: 0.9 } } },
  topk: { federated: { update: { topk: 0.03 } } },
  distillation: { federated: { strategy: "distillation" } },
  "distillation-sign5": { federated: { strategy: "distillation" }, ...three("sign5") },
  bulyan: { federated: { strategy: "bulyan" } },
  "bulyan-sign5-1": { federated: { strategy: "bulyan" }, bad: { sign5: 1 } },
  "bulyan-sign5": { federated: { strategy: "bulyan" }, ...three("sign5") },
  sampled: { federated: { sample: 0.5 } },
  clipped: { federated: { strategy: "fedavg", privacy: { clip: 1 } } },
  noised: { federated: { strategy: "fedavg", privacy: { clip: 1, noise: 1 } } },
  "noised-scores": { federated: { strategy: "distillation", privacy: { clip: 10, noise: 1 } } },
  "fedavg-sign5": { federated: { strategy: "fedavg" }, ...three("sign5") },
  ...Object.fromEntries(attacks.map((kind) => [kind, three(kind)])),
  ...Object.fromEntries(
    attacks.map((kind) => [`${kind}-audited`, { federated: { audit: 1 }, ...three(kind) }]),
  ),
  "topk-audited": { federated: { update: { topk: 0.03 }, audit: 1 } },
  ...Object.fromEntries(
    ["lazy", "copy"].flatMap((kind): [string, Case][] => [
      [`topk-${kind}`, { federated: { update: { topk: 0.03 } }, ...three(kind) }],
      [`topk-${kind}-audited`, { federated: { update: { topk: 0.03 }, audit: 1 }, ...three(kind) }],
    ]),
  ),
};
const splits = ["iid", "dirichlet 1", "dirichlet 0.1"] as const;

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "mnist10k.npz" },
    cases: { type: "string", default: Object.keys(cases).join() },
    seeds: { type: "string", default: "1,2,3" },
    splits: { type: "string", default: splits.join() },
  },
});
if (!existsSync(values.data)) {
  console.error(`skipped: no file ${values.data}; give one with --data`);
  process.exit(0);
}

const begun = performance.now();
const results: Record<string, Record<string, unknown>> = {};
const base = fileOf({}, "iid", 1);
const data = await loadTrialData(base, dirname(values.data));
for (const name of values.cases.split(",")) {
  results[name] = {};
  for (const split of values.splits.split(",")) {
    const runs: Awaited<ReturnType<typeof play>>[] = [];
    for (const seed of values.seeds.split(",")) runs.push(await play(cases[name]!, split, Number(seed)));
    const mean = (pick: (run: (typeof runs)[number]) => number) =>
      Number((runs.reduce((sum, run) => sum + pick(run), 0) / runs.length).toFixed(4));
    results[name]![split] = {
      accuracy: mean((run) => run.accuracy),
      seeds: runs.map((run) => run.accuracy),
      cheatsShare: mean((run) => run.cheats),
      cheatsShareAfterAudit: mean((run) => run.undetected),
      unpaid: mean((run) => run.unpaid),
      falseProofs: mean((run) => run.falseProofs),
      bytes: mean((run) => run.bytes),
      seconds: mean((run) => run.seconds),
      cpuSeconds: mean((run) => run.cpu),
    };
    console.error(name, split, JSON.stringify(results[name]![split]));
  }
}
const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));
console.log(JSON.stringify({ bench: "federated", seeds: values.seeds, seconds, results }));

function fileOf({ federated = {}, bad = {} }: Case, split: string, seed: number) {
  const file = basename(values.data);
  return trialFileSchema.parse({
    version: 1,
    name: "digits",
    federated: { providers: 10, rounds: 20, data: { split }, audit: "off", ...federated },
    simulation: {
      seed,
      train: { file, rows: "Xtr", labels: "ytr" },
      test: { file, rows: "Xte", labels: "yte" },
      scale: 1 / 255,
      bad,
    },
  });
}

/** `undetected`: the cheats' part of the pool in rounds after the first in which one of them was proven. */
async function play(one: Case, split: string, seed: number) {
  const [started, cpu] = [performance.now(), process.cpuUsage().user];
  let [accuracy, bytes, falseProofs, honest, unpaid] = [0, 0, 0, 0, 0];
  let [cheats, after, all, allAfter] = [0n, 0n, 0n, 0n];
  let proven = false;
  for await (const round of simulate(fileOf(one, split, seed), data)) {
    accuracy = round.accuracy;
    const pay = round.outcomes.reduce((sum, { pay }) => sum + pay, 0n);
    const bad = round.outcomes.reduce(
      (sum, { pay, actor }) => (actor.bad === undefined ? sum : sum + pay),
      0n,
    );
    cheats += bad;
    all += pay;
    if (proven) {
      after += bad;
      allAfter += pay;
    }
    proven ||= round.outcomes.some(({ actor, audit }) => actor.bad !== undefined && audit === "proven");
    for (const { actor, pay, audit, sent } of round.outcomes) {
      bytes = Math.max(bytes, sent?.length ?? 0);
      if (actor.bad !== undefined) continue;
      honest += 1;
      if (pay === 0n) unpaid += 1;
      if (audit === "proven") falseProofs += 1;
    }
  }
  return {
    accuracy,
    bytes,
    falseProofs,
    cheats: part(cheats, all),
    undetected: part(after, allAfter),
    unpaid: unpaid / honest,
    seconds: (performance.now() - started) / 1000,
    cpu: (process.cpuUsage().user - cpu) / 1e6,
  };
}

function part(some: bigint, all: bigint): number {
  return all === 0n ? 0 : Number((some * 10_000n) / all) / 10_000;
}
