import { spawn } from "node:child_process";
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setInterval } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { artifactOf } from "../../../src/chain/abi/artifacts.ts";
import { createMarket } from "../../../src/chain/market.ts";
import { asOwnerOf, type Home } from "../../../src/devnet/homes.ts";
import type { FederatedJob } from "../../../src/protocol/federated/market/job.ts";
import { type Address, sameAddress } from "../../../src/protocol/ids.ts";
import { bareEnvironment } from "../binary.ts";
import { startTestMarket, type TestMarket } from "../market/market.ts";
import { age, changes, remainsOf, unfinishedIn } from "./remains.ts";
import {
  arm,
  disarm,
  forgetPassed,
  type Passed,
  type Point,
  passedIn,
  points,
  type Target,
} from "./trace.ts";

/**
 * The same as `crashTable` for federated jobs: its requester, one of its providers, one of its validators and the panel of
 * a dispute are killed at each step of their journals, and the job must end as it does undisturbed.
 */

const preload = new URL("./preload.ts", import.meta.url).href;
const program = fileURLToPath(new URL("./ichain-child.ts", import.meta.url));
const example = fileURLToPath(new URL("../../../examples/federated-digits", import.meta.url));
const LOOK_MS = 40;
const LONGEST_MS = 240_000;
const ROUNDS = 2;
/** Calls that any party makes, and one does. */
const ANYBODYS = ["release", "empanel", "concludeChallenge"];

/** What is played; of validators two of three are drawn, and the third is the panel. */
export const courses = {
  /** Led by its requester. */
  led: { validators: 0, challenge: false, own: false },
  /** Led by two seats, which replay; in the end the requester challenges the last round. */
  seats: { validators: 3, challenge: true, own: false },
  /** Led by two seats, of providers' own data, of which nothing can be replayed. */
  own: { validators: 3, challenge: false, own: true },
} as const;
type CourseName = keyof typeof courses;

/** In one of these homes: who is drawn for a seat, and who for the panel, is chance. */
interface Kill extends Target {
  readonly homes: readonly string[];
}

interface Ending {
  readonly seconds: number;
  readonly jobs: readonly string[];
  readonly transactions: readonly string[];
  readonly remains: readonly string[];
  readonly passed: ReadonlyMap<string, readonly Passed[]>;
  readonly wrong: readonly string[];
}

export interface RoundsTable {
  readonly steps: Readonly<Record<string, Partial<Record<Point, string>>>>;
  readonly cells: number;
  readonly runs: number;
  readonly minutes: number;
  readonly failures: readonly string[];
}

export async function crashRounds({
  course: name,
  wants = () => true,
  say,
}: {
  readonly course: CourseName;
  readonly wants?: (kill: Target) => boolean;
  readonly say: (text: string) => void;
}): Promise<RoundsTable> {
  const course = courses[name];
  const { validators } = course;
  const began = performance.now();
  await using stack = new AsyncDisposableStack();
  const market = await startTestMarket(
    { after: (end) => void stack.defer(end as () => Promise<void>) },
    { transport: "direct", providers: 2, validators, nodeOptions: ["--import", preload] },
  );
  const { rpcUrl, chainId, contracts } = market.network;
  const reader = createMarket({ rpcUrl, chainId, addresses: contracts, database: ":memory:", pollMs: 100 });
  stack.defer(() => reader.stop());
  const folder = await mkdtemp(join(tmpdir(), "ichain-crash-rounds-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const file = await writeJob(folder, course);
  if (course.own) await giveData(market, folder);
  const { challenge } = course;
  const play = (kills: readonly Kill[]) => playJob(market, reader, { file, challenge }, kills);

  await play([]); // makes keys and caches, which stay
  const model = await play([]);
  say(`undisturbed: ${model.seconds} s, ${model.jobs.join(", ")}`);
  const failures = model.wrong.map((one) => `undisturbed: ${one}`);
  const steps: Record<string, Partial<Record<Point, string>>> = {};
  let runs = 1;
  for (const kills of grouped(model, wants)) {
    const found = await play(kills);
    runs += 1;
    const wrong = [
      ...found.wrong,
      ...changes(model.jobs, found.jobs).map((one) => `ending ${one}`),
      ...changes(model.transactions, found.transactions).map((one) => `transaction ${one}`),
      ...changes(model.remains, found.remains).map((one) => `left ${one}`),
    ];
    const what = kills.map(({ role, step, point }) => `${role} ${step} ${point}`).join(", ");
    say(`${what}: ${found.seconds} s, ${wrong.length === 0 ? "ok" : wrong.join("; ")}`);
    for (const { role, step, point } of kills) {
      steps[`${role} ${step}`] ??= {};
      steps[`${role} ${step}`]![point] = wrong.length === 0 ? "ok" : wrong.join("; ");
    }
    if (wrong.length > 0) failures.push(`${what}: ${wrong.join("; ")}`);
  }
  const cells = Object.values(steps).reduce((sum, one) => sum + Object.keys(one).length, 0);
  return { steps, cells, runs, minutes: Number(((performance.now() - began) / 60_000).toFixed(1)), failures };
}

/** Two rounds of the example, as small as they go. */
async function writeJob(folder: string, { validators, own }: (typeof courses)[CourseName]): Promise<string> {
  await cp(example, folder, { recursive: true });
  const path = join(folder, "job.yaml");
  const text = await readFile(path, "utf8");
  const small = text
    .replace("providers: 4", "providers: 2")
    .replace("least: 3", "least: 2")
    .replace("rounds: 5", `rounds: ${ROUNDS}`)
    // Takes every update: whether one is paid must not depend on how the rows were dealt.
    .replace("strategy: gate", "strategy: fedavg")
    .replace("dirichlet 1", "iid")
    .replace("pool: 0.05", "pool: 0.02\n  quorum: 1");
  const seats = "  validators: { count: 2, fee: 0.001, deposit: 0.001 }\n";
  const led = validators === 0 ? small : `${small}${seats}${own ? "" : "  audit: 1\n"}`;
  if (!own) {
    await writeFile(path, led);
    return path;
  }
  const ownData = led
    .replace("  train: { file: train.npz }\n", "")
    .replace("split: iid", "own: digits")
    .replace("strategy: fedavg", "strategy: root-cosine");
  await writeFile(path, ownData);
  const task = join(folder, "task.py");
  const reads = 'train(now.model, now.part or np.load(now.data / "train.npz"), ';
  await writeFile(task, (await readFile(task, "utf8")).replace("train(now.model, now.part, ", reads));
  return path;
}

/** Gives both providers a folder with data of their own. */
async function giveData({ dir, providers, ichain }: TestMarket, folder: string): Promise<void> {
  const policy = join(dir, "policy.yaml");
  const data = join(folder, "data-of-providers");
  await cp(join(folder, "train.npz"), join(data, "train.npz"));
  await chmod(data, 0o755);
  const usual = parse(await readFile(policy, "utf8"));
  await writeFile(policy, stringify({ ...usual, federated: { data: { digits: data } } }));
  for (const provider of providers) await ichain(["reload"], provider);
}

async function playJob(
  market: TestMarket,
  reader: ReturnType<typeof createMarket>,
  { file, challenge }: { readonly file: string; readonly challenge: boolean },
  kills: readonly Kill[],
): Promise<Ending> {
  const began = performance.now();
  const actors = [...market.providers, ...market.validators];
  const homes = [market.requester, ...actors];
  const homeOf = (name: string) => homes.find((home) => home.name === name)!;
  const sinceBlock = (await market.chain.getBlockNumber()) + 1;
  const had = remains();
  const known = new Set((await jobsOf()).map(({ id }) => id));
  for (const home of homes) forgetPassed(home.dir);
  for (const { homes: armed, ...target } of kills) for (const one of armed) arm(homeOf(one).dir, target);
  const wrong: string[] = [];
  const revived = new Set<string>();
  try {
    await toTheEnd(AbortSignal.timeout(LONGEST_MS));
  } catch (error) {
    wrong.push((error as Error).message);
  }
  const passed = new Map(homes.map((home) => [home.name, passedIn(home.dir)]));
  for (const { homes: armed, step, point } of kills) {
    for (const one of armed) disarm(homeOf(one).dir);
    if (!armed.some((one) => wasKilled(one))) wrong.push(`${step} ${point} was not reached`);
  }
  const after = remains();
  return {
    seconds: Number(((performance.now() - began) / 1000).toFixed(1)),
    jobs: (await ownJobs()).map(endingOf),
    transactions: await callsSince(market, homes, sinceBlock),
    ...{ remains: changes(had, after), passed, wrong },
  };

  function remains(): string[] {
    return homes.flatMap((home) => remainsOf(home)).map(partyOf);
  }

  function wasKilled(home: string): boolean {
    return passedIn(homeOf(home).dir).some(({ killed }) => killed);
  }

  async function jobsOf(): Promise<FederatedJob[]> {
    return reader.federatedJobs({ requester: market.requester.account });
  }

  async function ownJobs(): Promise<FederatedJob[]> {
    return (await jobsOf()).filter(({ id }) => !known.has(id));
  }

  async function toTheEnd(limit: AbortSignal): Promise<void> {
    let child = launch(market, ["submit", file, "--yes"]);
    let travelled = false;
    let last: typeof child | undefined;
    const idle = { ...child, ended: Promise.resolve(0) };
    for await (const _ of setInterval(LOOK_MS)) {
      if (limit.aborted) {
        child.process.kill("SIGKILL");
        const open = homes.flatMap((home) => unfinishedIn(home).map((one) => `${home.name}: ${one}`));
        throw new RangeError(`it does not end: ${open.join(", ")}; ${child.said()}`);
      }
      for (const home of actors) {
        if (revived.has(home.name) || !wasKilled(home.name)) continue;
        revived.add(home.name);
        // One of those that come to the same step.
        for (const one of kills.find(({ homes: armed }) => armed.includes(home.name))?.homes ?? [])
          disarm(homeOf(one).dir);
        await market.killActor(home.name);
        await market.startActor(home.name).catch(() => undefined);
      }
      const code = await Promise.race([child.ended, false as const]);
      if (code === false) continue;
      const jobs = await ownJobs();
      const isBegun = jobs.length > 0 || unfinishedIn(market.requester).length > 0;
      if (code !== null && code !== 0) throw new RangeError(child.said());
      if (code === null) {
        child = launch(market, isBegun ? ["resume"] : ["submit", file, "--yes"]);
        continue;
      }
      const [job] = jobs;
      const isDisputed = job !== undefined && job.disputes.length > 0;
      if (job?.state !== "Ended" && !isDisputed)
        throw new RangeError(`the command ended before the job: ${child.said()}`);
      if (challenge && !isDisputed && job.judged.length === 0) {
        child = launch(market, ["challenge", job.id]);
        continue;
      }
      if (isDisputed) {
        child = idle;
        continue;
      }
      if (!travelled) {
        travelled = true;
        await market.evm.increaseTime(job.terms.disputeWindow + 1);
      }
      if (unfinishedIn(market.requester).length > 0) {
        child = launch(market, ["resume"]);
        continue;
      }
      if (homes.some((home) => unfinishedIn(home).length > 0)) {
        child = idle;
        continue;
      }
      if (child !== last) {
        // Any command removes first what its home needs no longer.
        age(market.requester);
        last = child = launch(market, ["resume"]);
        continue;
      }
      return;
    }
  }
}

function endingOf({ state, cause, closings, members, judged }: FederatedJob): string {
  const paid = members.map(({ standing, claimed }) => `${standing} ${claimed > 0n ? "paid" : "unpaid"}`);
  const signed = closings.map(({ signers }) => `${signers.length} signed`);
  const found = judged.map(({ round, decided, stands }) => `round ${round} ${decided} ${stands}`);
  return `${state} ${cause} ${closings.length} rounds, ${[...paid, ...signed, ...found].join(", ")}`;
}

function launch(market: TestMarket, args: readonly string[]) {
  const child = spawn(process.execPath, ["--import", preload, program, ...args, "--json"], {
    env: bareEnvironment({ ...asOwnerOf(market.requester), CI: "1" }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-1500);
    });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { process: child, ended, said: () => said };
}

/** Runs with one kill of the requester, one of the first provider, and one of a validator. */
function grouped({ passed }: Ending, wants: (kill: Target) => boolean): Kill[][] {
  const killsOf = (homes: readonly string[]) => {
    const steps = homes
      .flatMap((home) => passed.get(home) ?? [])
      .filter(({ role }) => role.startsWith("federated-"));
    const names = [...new Set(steps.map(({ role, step }) => `${role} ${step}`))];
    return names.flatMap((name) =>
      points
        .filter((point) => steps.some((one) => `${one.role} ${one.step}` === name && one.point === point))
        .map((point): Kill => {
          const [role = "", step = ""] = name.split(" ");
          return { homes, role, step, point };
        })
        .filter(wants),
    );
  };
  const validators = [...passed.keys()].filter((home) => home.startsWith("validator-"));
  const columns = [["requester"], ["provider-1"], validators].map(killsOf);
  return Array.from({ length: Math.max(...columns.map((one) => one.length)) }, (_, i) =>
    columns.flatMap((one) => one[i] ?? []),
  );
}

const interfaces = (["FederatedEscrow", "FederatedExceptions", "ProviderRegistry"] as const).map(
  (name) => artifactOf(name).abi,
);

/** Of validators any: chance says which of them serve, and which judge. */
function partyOf(text: string): string {
  return text.replace(/^validator-\d+/, "a validator");
}

/** Every transaction of a party, by who sent it and which call it is; what any may do, without who. */
async function callsSince(market: TestMarket, homes: readonly Home[], sinceBlock: number): Promise<string[]> {
  const all = await market.transactions(sinceBlock);
  const calls = all.flatMap(({ tx, receipt }) => {
    const home = homes.find(({ account }) => sameAddress(account, tx.from as Address));
    if (home === undefined || (tx.data === "0x" && tx.value === 0n && tx.to === tx.from)) return [];
    const selector = tx.data.slice(0, 10);
    const name = interfaces.map((one) => one.getFunction(selector)?.name).find(Boolean) ?? selector;
    const isDone = receipt.status === 1;
    if (ANYBODYS.includes(name)) return isDone ? [`anybody ${name}`] : [];
    return [`${partyOf(home.name)} ${name}${isDone ? "" : " reverted"}`];
  });
  return calls.sort();
}
