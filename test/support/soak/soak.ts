import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay, setInterval } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { JsonRpcProvider } from "ethers";
import { createMarket } from "../../../src/chain/market.ts";
import { type Devnet, startDevnet } from "../../../src/devnet/devnet.ts";
import { asOwnerOf } from "../../../src/devnet/homes.ts";
import { misbehaviours } from "../../../src/devnet/misbehave.ts";
import { type Address, sameAddress } from "../../../src/protocol/ids.ts";
import { instantsOf } from "../../../src/protocol/job/exits.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { isFinal } from "../../../src/protocol/job/state.ts";
import { bareEnvironment, type Ended, ichainRun } from "../binary.ts";
import { openBooks } from "./books.ts";
import { type Chance, chanceOf } from "./chance.ts";
import {
  type Growth,
  growthOf,
  limits,
  MAX_RSS_KIB,
  type Measure,
  pidsOf,
  type Sample,
  sampleOf,
} from "./gauge.ts";
import { startLiar } from "./liar.ts";
import { HONEST, type Kill, type Planned, planBatch, planKills, VALIDATORS } from "./plan.ts";
import { standingOf } from "./turn.ts";

export interface SoakOptions {
  readonly jobs: number;
  readonly seed: number;
  /** No batch begins later; a soak that was cut short says so. */
  readonly minutes?: number;
  /** Leaves homes and logs where they are when it fails. */
  readonly keep?: boolean;
  readonly say: (text: string) => void;
}

export interface SoakResult {
  readonly jobs: number;
  readonly asked: number;
  readonly seed: number;
  readonly minutes: number;
  readonly kinds: Readonly<Record<string, number>>;
  /** Jobs by state and cause. */
  readonly endings: Readonly<Record<string, number>>;
  readonly rounds: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly travels: number;
  readonly lies: Readonly<Record<string, number>>;
  readonly limits: typeof limits;
  readonly growth: Readonly<Record<string, Growth>>;
  readonly failures: readonly string[];
}

const binary = fileURLToPath(new URL("../../../bin/ichain.js", import.meta.url));
const BATCH = HONEST + misbehaviours.length;
const LOOK_MS = 250;
/** Longer than connections are kept open. */
const REST_MS = 6_000;
/** A job that neither moves nor waits for a party that will not act fails the soak. */
const STALLED_SECONDS = 180;
/** What validators wait for a run report (`roles/job/validator/reveal.ts`). */
const REPORT_SECONDS = 61;
/** Three strikes ban a provider for so long; the soak goes on with it afterwards. */
const STRIKE_LIFE = 90 * 86_400;
const BATCHES_UNTIL_BAN = 3;

/** The smallest job that there is: it writes a file and prints a metric. */
const TASK = `import sys
if sys.argv[1] == "0": open("/out/model.txt", "w").write("x" * 1000)
print("acc: 0.97")
`;
/** Windows leave room for a chain whose pace, with all the time travel, seems to be a block a minute. */
const jobFile = (validators: number) => `version: 1
name: soak
image: python-ml
command: [python3, task.py]
inputs: [task.py]
outputs: [model.txt]
resources: {cpus: 0.5, memory: 256 MiB, disk: 4 MiB, time: 1m}
verification: {mode: evaluate, metric: acc, threshold: 0.9, tolerance: 0.01, validators: ${validators}}
windows: {accept: 30m, run: 30m}
`;

/** One job of the batch under way. */
interface Course {
  readonly plan: Planned;
  readonly provider: Address;
  child: ChildProcess | undefined;
  job: Job | undefined;
  /** Monotonic milliseconds of its last movement. */
  moved: number;
  seen: string;
  silenced: boolean;
  /** The end of what its requester's process printed. */
  said: string;
}

/** A market of good and bad parties, with jobs in batches, until all of them are final; nothing is left behind. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const began = performance.now();
  const minutes = () => (performance.now() - began) / 60_000;
  const chance = chanceOf(options.seed);
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "ichain-soak-"));
  const failures: string[] = [];
  stack.defer(async () => {
    if (failures.length === 0 || !options.keep) await rm(dir, { recursive: true, force: true });
    else options.say(`what it left is in ${dir}`);
  });
  const market = await openSoakMarket(stack, dir, chance);
  const { devnet, books, accounts } = market;
  const honest = [
    devnet.requester,
    ...devnet.providers.slice(misbehaviours.length),
    ...devnet.validators,
  ].map(({ account }) => account);
  const sinceBlock = (await market.chain.getBlockNumber()) + 1;
  const before = new Map<Address, bigint>();
  for (const account of honest) before.set(account, await books.wealth(account));
  const files = new Map<number, string>();
  for (const validators of [0, 1, 2]) files.set(validators, await writeJob(dir, validators));

  const run = new Run(market, options.say, files);
  stack.defer(() => run.stop());
  const samples = new Map<string, Sample[]>();
  const kinds: Record<string, number> = {};
  let done = 0;
  for (let batch = 0; done < options.jobs && failures.length === 0; batch += 1) {
    if (options.minutes !== undefined && minutes() > options.minutes) break;
    const planned = planBatch(chance, Math.min(BATCH, options.jobs - done), batch * 3);
    for (const { bad, requester, validators } of planned) {
      const kind = `${bad ?? "honest"}${requester === "honest" ? "" : `, requester ${requester}`}, ${validators}`;
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    }
    await Promise.race([run.batch(planned, planKills(chance, planned)), market.broken]).catch(
      (error: Error) => failures.push(error.message),
    );
    done += planned.length;
    if (failures.length > 0) break;
    if ((batch + 1) % BATCHES_UNTIL_BAN === 0) await market.travel(STRIKE_LIFE + 1);
    // What a cheat keeps of its jobs is its own affair.
    const homes = [...devnet.providers.slice(misbehaviours.length), ...devnet.validators];
    const pids = await pidsOf(homes);
    // Connections to the nodes stay open for a while: how many there are says how busy a daemon was.
    await delay(REST_MS);
    for (const home of homes) {
      const pid = pids.get(home.name);
      if (pid === undefined) failures.push(`${home.name} has ended`);
      else samples.set(home.name, [...(samples.get(home.name) ?? []), await sampleOf(home, pid, done)]);
    }
    options.say(`${done} jobs after ${minutes().toFixed(1)} min`);
  }
  const jobs = [...market.jobs.values()];
  failures.push(...(await books.check({ jobs, accounts, honest, before, sinceBlock })));
  if (failures.length === 0 && jobs.length !== done)
    failures.push(`${done} jobs were begun, ${jobs.length} posted`);
  const growth: Record<string, Growth> = {};
  for (const [name, list] of samples) {
    const grown = growthOf(list);
    if (grown === undefined) continue;
    growth[name] = grown;
    for (const [measure, limit] of Object.entries(limits)) {
      const growth = grown.perJob[measure as Measure];
      if (growth > limit) failures.push(`${name}: ${measure} grows by ${growth} a job`);
    }
    if (grown.most.rssKiB > MAX_RSS_KIB) failures.push(`${name}: its RSS was ${grown.most.rssKiB} KiB`);
  }
  return {
    ...{ jobs: jobs.length, asked: options.jobs, seed: options.seed, minutes: Number(minutes().toFixed(1)) },
    ...{ kinds, limits, growth, failures },
    endings: count(jobs.map(({ state, cause }) => (cause ? `${state}: ${cause}` : state))),
    rounds: count(
      jobs.flatMap(({ challenged, appealed }) => [
        ...(challenged ? ["challenged"] : []),
        ...(appealed ? ["appealed"] : []),
      ]),
    ),
    kills: run.kills,
    travels: market.travels(),
    lies: market.lies(),
  };
}

async function openSoakMarket(stack: AsyncDisposableStack, dir: string, chance: Chance) {
  const stop = new AbortController();
  let liar: Awaited<ReturnType<typeof startLiar>> | undefined;
  const devnet: Devnet = await startDevnet({
    ...{ providers: BATCH, validators: VALIDATORS, bad: misbehaviours, transport: "direct" },
    ...{ dir: join(dir, "devnet"), signal: stop.signal, reporter: { emit: () => undefined } },
    settings: { audit: { check: "evaluate", validate: "always", after: 10, floor: 0.1 } },
    moreNodes: async (rpcUrl) => {
      liar = await startLiar(rpcUrl, chance);
      stack.defer(() => liar?.stop());
      return [liar.url];
    },
  });
  stack.defer(() => devnet.stop());
  const { network, evm, requester } = devnet;
  const chain = new JsonRpcProvider(network.rpcUrl, network.chainId, {
    staticNetwork: true,
    cacheTimeout: -1,
  });
  stack.defer(() => chain.destroy());
  const reader = createMarket({
    ...{ rpcUrl: network.rpcUrl, chainId: network.chainId, addresses: network.contracts },
    ...{ database: ":memory:", pollMs: 100 },
  });
  const jobs = new Map<string, Job>();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const watching = (async () => {
    for await (const job of reader.watch({ requester: requester.account }, { signal: stop.signal }))
      jobs.set(job.id, job);
  })().catch((error: unknown) => {
    // Without it the soak sees nothing move any more, and would blame the parties.
    if (!stop.signal.aborted) broken.reject(error);
  });
  stack.defer(async () => {
    stop.abort();
    await watching;
    await reader.stop();
  });
  let travels = 0;
  return {
    ...{ dir, devnet, chain, jobs },
    /** Rejects when the market cannot be watched any more. */
    broken: broken.promise,
    books: openBooks(chain, network),
    accounts: evm.accounts.map(({ address }) => address),
    now: () => reader.now(),
    async travel(seconds: number): Promise<void> {
      travels += 1;
      await evm.increaseTime(seconds);
    },
    travels: () => travels,
    lies: () => liar?.told() ?? {},
  };
}
type SoakMarket = Awaited<ReturnType<typeof openSoakMarket>>;

class Run {
  kills = 0;
  readonly #market: SoakMarket;
  readonly #say: (text: string) => void;
  readonly #files: ReadonlyMap<number, string>;
  readonly #children = new Set<ChildProcess>();
  #outs = 0;

  constructor(market: SoakMarket, say: (text: string) => void, files: ReadonlyMap<number, string>) {
    this.#market = market;
    this.#say = say;
    this.#files = files;
  }

  /** Begins the jobs and sees them all to their ends. Throws with the words of what does not move. */
  async batch(planned: readonly Planned[], kills: readonly Kill[]): Promise<void> {
    const { jobs, devnet } = this.#market;
    const old = new Set(jobs.keys());
    const courses = planned.map((plan): Course => {
      const provider = devnet.providers[plan.provider]!.account;
      return {
        plan,
        provider,
        child: undefined,
        job: undefined,
        moved: 0,
        seen: "",
        silenced: false,
        said: "",
      };
    });
    let failed: unknown;
    const begun = courses.map((course) =>
      this.#begin(course).catch((error: unknown) => {
        failed = error;
      }),
    );
    const due = new Set(kills);
    let restarted: Promise<void> = Promise.resolve();
    let lastTravel = performance.now();
    for await (const _ of setInterval(LOOK_MS)) {
      if (failed !== undefined) throw failed;
      const time = performance.now();
      for (const job of [...jobs.values()].filter(({ id }) => !old.has(id))) {
        const course = courses.find(({ provider }) => sameAddress(provider, job.terms.provider));
        if (course) course.job = job;
      }
      for (const course of courses) {
        const seen = JSON.stringify(course.job, (_, value) =>
          typeof value === "bigint" ? `${value}` : value,
        );
        if (seen !== course.seen || course.moved === 0) [course.seen, course.moved] = [seen, time];
        this.#silence(course);
        for (const kill of due) {
          if (kill.provider !== course.plan.provider || course.job?.state !== kill.state) continue;
          due.delete(kill);
          restarted = restarted.then(() => this.#restart(kill.actor));
        }
      }
      if (courses.every(({ job }) => job !== undefined && isFinal(job.state))) break;
      if (await this.#moveTime(courses, time, lastTravel)) lastTravel = performance.now();
    }
    await Promise.all(begun);
    await restarted;
    await this.#untilEnded(courses);
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  async #begin(course: Course): Promise<void> {
    const { plan } = course;
    const provider = this.#market.devnet.providers[plan.provider]!;
    this.#outs += 1;
    const args = [
      "submit",
      this.#files.get(plan.validators)!,
      "--provider",
      course.provider,
      "--validator",
      "best",
    ];
    const rest = plan.validators === 0 ? args.slice(0, -2) : args;
    if (plan.requester !== "cancels") {
      const out = join(this.#market.dir, `out-${this.#outs}`);
      course.child = this.#launch([...rest, "--yes", "--wait", "--out", out], course);
      return;
    }
    // It waits for a provider that is not there: another process of the same home takes the job back.
    await this.#market.devnet.killActor(provider.name);
    this.kills += 1;
    course.child = this.#launch([...rest, "--yes"], course);
    for await (const _ of setInterval(LOOK_MS)) {
      if (course.job !== undefined || course.child === undefined) break;
    }
    if (course.job !== undefined) await this.#ichain(["cancel", course.job.id]);
    await this.#market.devnet.startActor(provider.name);
  }

  #silence(course: Course): void {
    const { plan, job, silenced } = course;
    if (plan.requester !== "silent" || silenced || job === undefined) return;
    const passed = order.indexOf(job.state) >= order.indexOf(plan.silentAt);
    if (!passed || isFinal(job.state)) return;
    course.silenced = true;
    course.child?.kill("SIGKILL");
  }

  async #restart(actor: string): Promise<void> {
    this.kills += 1;
    await this.#market.devnet.killActor(actor);
    await this.#market.devnet.startActor(actor);
  }

  /** True when it moved the chain's clock. */
  async #moveTime(courses: readonly Course[], time: number, lastTravel: number): Promise<boolean> {
    const now = await this.#market.now();
    const known = courses.map((course) => {
      const { job, plan, child } = course;
      const quiet = (time - Math.max(course.moved, lastTravel)) / 1000;
      const away = child === undefined && plan.requester !== "cancels";
      const standing = job ? standingOf(job, now, { bad: plan.bad, away, quiet }) : "moves";
      return { course, quiet, standing };
    });
    const stalled = known.filter(({ standing, quiet }) => standing === "moves" && quiet > STALLED_SECONDS);
    if (stalled.length > 0)
      throw new Error(stalled.map(({ course }) => `stalled: ${describe(course)}: ${course.said}`).join("; "));
    const open = known.filter(({ standing }) => standing !== "final");
    if (open.some(({ standing }) => standing === "moves")) return false;
    const orphans = open.filter(({ standing }) => standing === "orphaned");
    if (orphans.length > 0) {
      for (const { course } of orphans) {
        course.child = this.#launch(["resume", course.job!.id], course);
        course.moved = time;
      }
      return false;
    }
    if (open.length === 0) return false;
    const instants = open
      .flatMap(({ course }) => instantsOf(course.job!))
      .filter((instant) => instant >= now);
    const next = Math.min(...instants) + 1 - now;
    const reporting = open.some(({ standing }) => standing === "report");
    if (!reporting && instants.length === 0) return false;
    const seconds = Math.ceil(reporting ? REPORT_SECONDS : next);
    this.#say(`+${seconds} s: ${open.map(({ course }) => describe(course)).join("; ")}`);
    await this.#market.travel(seconds);
    return true;
  }

  /** Every requester's process ends by itself once its job is final. */
  async #untilEnded(courses: readonly Course[]): Promise<void> {
    const began = performance.now();
    for await (const _ of setInterval(LOOK_MS)) {
      const left = courses.filter(({ child }) => child !== undefined);
      if (left.length === 0) return;
      if (performance.now() - began > STALLED_SECONDS * 1000)
        throw new Error(left.map((course) => `its requester does not end: ${describe(course)}`).join("; "));
    }
  }

  #launch(args: readonly string[], course: Course): ChildProcess {
    const { requester } = this.#market.devnet;
    const child = spawn(process.execPath, [binary, ...args, "--json"], {
      env: bareEnvironment({ ...asOwnerOf(requester), CI: "1" }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        course.said = (course.said + chunk.toString()).slice(-2000);
      });
    }
    this.#children.add(child);
    child.on("close", (code) => {
      this.#children.delete(child);
      if (course.child === child) course.child = undefined;
      const early = course.job === undefined || !isFinal(course.job.state);
      if (code !== null && early) this.#say(`ended ${code} early: ${describe(course)}: ${course.said}`);
    });
    return child;
  }

  async #ichain(args: readonly string[]): Promise<string> {
    const env = { ...asOwnerOf(this.#market.devnet.requester), CI: "1" };
    const { code, stdout, stderr }: Ended = await ichainRun([...args, "--json"], env);
    if (code !== 0) throw new Error(`ichain ${args[0]} ended ${code}: ${stdout} ${stderr}`);
    return stdout;
  }
}

/** As far as a silent requester waits: any of these or a later one. */
const order: readonly Job["state"][] = ["None", "Posted", "Accepted", "Submitted", "Validating", "Validated"];

function describe({ plan, job, child }: Course): string {
  const { bad = "honest", requester, validators } = plan;
  const stage = job
    ? `${job.state}${job.drawing ? " (drawing)" : job.committing ? " (committing)" : ""}`
    : "unposted";
  return `${bad}/${requester}/${validators} ${stage} ${job?.round ?? ""}${child ? "" : ", away"}`;
}

function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

async function writeJob(dir: string, validators: number): Promise<string> {
  const folder = join(dir, `job-${validators}`);
  await mkdir(folder);
  await writeFile(join(folder, "task.py"), TASK);
  const file = join(folder, "job.yaml");
  await writeFile(file, jobFile(validators));
  return file;
}
