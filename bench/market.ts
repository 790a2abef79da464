// What one provider and one requester sustain: jobs of a task that takes one second, four at once (`maxJobs`), each
// confirmed by one of two validators, on a private market on this machine. One JSON object on stdout: jobs an hour, how
// long a job is in each state, where each role's time goes by step of its journal, and what each daemon holds at the
// beginning (after the first jobs) and at the end: memory, open files, disk. Times are seconds, means over all jobs.
//
//   npm run -s bench:market                      direct, then over onions, about ten minutes on two cores
//   npm run -s bench:market -- --transport onion --jobs 20 --at-once 8
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { BlockClock, seconds, statesOf } from "../src/devnet/timeline.ts";
import type { Job } from "../src/protocol/job/job.ts";
import { isFinal, type JobState } from "../src/protocol/job/state.ts";
import { passedIn } from "../test/support/crash/trace.ts";
import { startTestMarket, type TestMarket } from "../test/support/market/market.ts";
import { measures, pidsOf, type Sample, sampleOf } from "../test/support/soak/gauge.ts";

const { values } = parseArgs({
  options: {
    transport: { type: "string" },
    jobs: { type: "string" },
    "at-once": { type: "string", default: "8" },
  },
});
const MAX_JOBS = 4;
/** Before the first sample: they make keys, caches and compiled code. */
const WARM_UP = 4;
const JOBS = { direct: 60, onion: 30 } as const;
type Kind = keyof typeof JOBS;

const TASK = `import sys, time
if sys.argv[1] == "0":
    time.sleep(1)
    open("/out/model.txt", "w").write("x" * 1000)
print("acc: 0.97")
`;
const JOB = {
  ...{ version: 1, name: "second", image: "python-ml", command: ["python3", "task.py", `\${n}`] },
  ...{ inputs: ["task.py"], outputs: ["model.txt"], price: 0.01 },
  resources: { cpus: 0.5, memory: "256 MiB", disk: "4 MiB", time: "1m" },
  verification: { metric: "acc", threshold: 0.9, tolerance: 0.01, validators: 1 },
  windows: { accept: "30m", run: "30m" },
};
const preload = new URL("../test/support/crash/preload.ts", import.meta.url).href;

const kinds: readonly Kind[] =
  values.transport === undefined ? ["direct", "onion"] : [values.transport as Kind];
const result: Record<string, unknown> = {
  bench: "market",
  maxJobs: MAX_JOBS,
  atOnce: Number(values["at-once"]),
};
for (const kind of kinds) result[kind] = await measure(kind, Number(values.jobs ?? JOBS[kind]));
console.log(JSON.stringify(result));

async function measure(transport: Kind, jobs: number) {
  await using stack = new AsyncDisposableStack();
  const policies = { maxJobs: MAX_JOBS, pricePerHour: 0.001 };
  const market = await startTestMarket(
    { after: (end) => void stack.defer(end as () => Promise<void>) },
    {
      transport,
      validators: 2,
      policy: await writePolicy(policies, stack),
      nodeOptions: ["--import", preload],
    },
  );
  const clock = stack.use(new BlockClock(market.network.rpcUrl));
  const homes = [...market.providers, ...market.validators];
  const sample = async (done: number): Promise<Map<string, Sample>> => {
    const pids = await pidsOf(homes);
    return new Map(
      await Promise.all(
        homes.map(async (home) => [home.name, await sampleOf(home, pids.get(home.name)!, done)] as const),
      ),
    );
  };
  await submit(market, WARM_UP, "warm-up");
  const first = await sample(WARM_UP);
  const began = performance.now();
  const since = Date.now();
  await submit(market, jobs, "measured");
  const hours = (performance.now() - began) / 3_600_000;
  const last = await sample(WARM_UP + jobs);
  const played = (await jobsOf(market)).slice(WARM_UP);
  const settled = played.filter(({ state }) => state === "Settled").length;
  return {
    ...{ jobs, settled, minutes: Number((hours * 60).toFixed(1)), jobsAnHour: Math.round(settled / hours) },
    states: await meanStates(market, played, clock),
    steps: meanSteps(homes, since),
    daemons: Object.fromEntries(
      homes.map(({ name }) => [name, { first: held(first.get(name)!), last: held(last.get(name)!) }]),
    ),
  };
}

async function writePolicy(policy: object, stack: AsyncDisposableStack): Promise<string> {
  const { temporaryFolder } = await import("../test/support/binary.ts");
  const folder = stack.use(temporaryFolder());
  await writeFile(folder.join("policy.yaml"), stringify(policy));
  return folder.join("policy.yaml");
}

/** Submits equal jobs as a matrix and waits until all are opened. */
async function submit(market: TestMarket, jobs: number, name: string): Promise<void> {
  const folder = join(market.dir, name);
  await mkdir(folder);
  await writeFile(join(folder, "task.py"), TASK.replaceAll("argv[1]", "argv[2]"));
  const matrix = { n: Array.from({ length: jobs }, (_, n) => n) };
  const file = join(folder, "job.yaml");
  await writeFile(file, stringify({ ...JOB, variables: { n: 0 }, matrix }));
  const parties = ["--provider", "best", "--validator", "best", "--yes", "--wait"];
  const child = market.launch([
    ...[
      "submit",
      file,
      ...parties,
      "--budget",
      "100",
      "--at-once",
      values["at-once"],
      "-o",
      join(folder, "out"),
    ],
  ]);
  child.stdout?.resume();
  child.stderr?.pipe(process.stderr);
  await once(child, "close");
}

async function jobsOf(market: TestMarket): Promise<Job[]> {
  const { jobs } = (await market.ichain(["jobs", "--all"])) as { jobs: { jobId: string }[] };
  const ids = new Set(jobs.map(({ jobId }) => jobId));
  const found = new Map<string, Job>();
  for await (const job of market.jobs()) {
    found.set(job.id, job);
    if (found.size === ids.size && [...found.values()].every(({ state }) => isFinal(state))) break;
  }
  return [...found.values()].sort((a, b) => a.postedBlock - b.postedBlock);
}

/** Mean seconds from each state of a job to the next, as the chain shows them. */
async function meanStates({ network }: TestMarket, jobs: readonly Job[], clock: BlockClock) {
  const sums = new Map<JobState, number>();
  for (const { id } of jobs) {
    const at = [...(await statesOf(network, id, clock))];
    for (const [i, [state, time]] of at.entries()) {
      const next = at[i + 1]?.[1];
      if (next !== undefined) sums.set(state, (sums.get(state) ?? 0) + next - time);
    }
  }
  return Object.fromEntries([...sums].map(([state, sum]) => [state, seconds(sum / jobs.length)]));
}

/** Mean seconds of each act, from its recorded intent to its outcome; the longest first. */
function meanSteps(homes: readonly { dir: string; name: string }[], since: number) {
  const sums = new Map<string, { total: number; count: number }>();
  for (const { dir, name } of homes) {
    const begun = new Map<string, number>();
    for (const { role, key, step, point, at } of passedIn(dir)) {
      if (at < since) continue;
      const what = `${name} ${role} ${key} ${step}`;
      if (point === "intended") begun.set(what, at);
      const from = begun.get(what);
      if (point !== "acted" || from === undefined) continue;
      const { total, count } = sums.get(`${role} ${step}`) ?? { total: 0, count: 0 };
      sums.set(`${role} ${step}`, { total: total + at - from, count: count + 1 });
    }
  }
  const means = [...sums].map(([step, { total, count }]) => [step, seconds(total / count)] as const);
  return Object.fromEntries(means.filter(([, mean]) => mean >= 0.01).sort((a, b) => b[1] - a[1]));
}

function held(sample: Sample) {
  return Object.fromEntries(measures.map((measure) => [measure, sample[measure]]));
}
