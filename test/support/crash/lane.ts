import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setInterval } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { artifactOf } from "../../../src/chain/abi/artifacts.ts";
import { asOwnerOf, type Home } from "../../../src/devnet/homes.ts";
import { type Address, sameAddress } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { isFinal } from "../../../src/protocol/job/state.ts";
import { bareEnvironment } from "../binary.ts";
import { startTestMarket, type TestMarket } from "../market/market.ts";
import { openBooks } from "../soak/books.ts";
import { age, changes, remainsOf, unfinishedIn } from "./remains.ts";
import type { Course, Scenario } from "./scenarios.ts";
import { arm, disarm, forgetPassed, type Passed, passedIn, type Target } from "./trace.ts";

const preload = new URL("./preload.ts", import.meta.url).href;
const program = fileURLToPath(new URL("./ichain-child.ts", import.meta.url));
const LOOK_MS = 40;
const EXITS: readonly string[] = ["expire", "settle", "dismiss", "conclude"];
/** A run that has not ended by then, and what its kills may take beside, fails and says what waits for what. */
const LONGEST_MS = 90_000;
/** A kill between signing and recording loses a nonce, which those after it wait half a minute for. */
const KILL_MS = 40_000;

/** Who still has something to do so long after its jobs were over waits for more time to pass. */
const OVER_MS = 20_000;

/** A kill, and in whose home. */
export interface Cell extends Target {
  readonly home: string;
}

/** What one run of a scenario came to. */
export interface Outcome {
  readonly seconds: number;
  /** Jobs by how they ended, transactions by who made which call, and what was left on disks. */
  readonly jobs: readonly string[];
  readonly transactions: readonly string[];
  readonly remains: readonly string[];
  readonly passed: ReadonlyMap<string, readonly Passed[]>;
  /** What is wrong whatever the undisturbed run was like. */
  readonly wrong: readonly string[];
  /** Else its jobs go on, and would mix with those of the next run. */
  readonly ended: boolean;
}

/** A market whose processes can be killed at a step: the runs on it come one after another. */
export interface Lane extends AsyncDisposable {
  run(scenario: Scenario, cells: readonly Cell[]): Promise<Outcome>;
}

export async function openLane(transport: "direct" | "onion"): Promise<Lane> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "ichain-crash-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  // The first provider takes no long tasks, and so declines a job that nothing told it would.
  const policy = join(folder, "policy.yaml");
  await writeFile(policy, stringify({ maxTime: "90s", pricePerHour: 0.005 }));
  const market = await startTestMarket(
    { after: (end) => void stack.defer(end as () => Promise<void>) },
    {
      ...{ transport, providers: 2, validators: 1, nodeOptions: ["--import", preload] },
      policy,
      settings: {
        audit: { check: "evaluate", validate: "always", after: 10, floor: 0.1 },
        // Offers say how much disk there is: where other work fills it they would change, and be published again.
        disk: { limit: "4 GiB" },
      },
    },
  );
  const jobs = new Map<string, Job>();
  const watching = (async () => {
    for await (const job of market.jobs()) jobs.set(job.id, job);
  })();
  watching.catch(() => undefined); // it ends with the market
  const open = stack.move();
  let runs = 0;
  return {
    run: async (scenario, cells) => {
      runs += 1;
      return await new Run(market, jobs, join(market.dir, `run-${runs}`)).play(scenario, cells);
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

class Run implements Course {
  readonly market: TestMarket;
  readonly dir: string;
  readonly #known: ReadonlyMap<string, Job>;
  readonly #before: ReadonlySet<string>;
  readonly #homes: readonly Home[];
  readonly #done = new Set<string>();
  #child: { process: ChildProcess; ended: Promise<number | null>; said: () => string } | undefined;
  #said = "";
  #submit: readonly string[] = [];
  /** When its jobs were over, `performance.now()`. */
  #overAt: number | undefined;
  #restarting: Promise<void> = Promise.resolve();

  constructor(market: TestMarket, jobs: ReadonlyMap<string, Job>, dir: string) {
    this.market = market;
    this.dir = dir;
    this.#known = jobs;
    this.#before = new Set(jobs.keys());
    this.#homes = [market.requester, ...market.providers, ...market.validators];
  }

  /** The jobs of this run, the first one first. */
  get jobs(): Job[] {
    return [...this.#known.values()].filter(({ id }) => !this.#before.has(id));
  }

  get out(): string {
    return join(this.dir, "out");
  }

  async play(scenario: Scenario, cells: readonly Cell[]): Promise<Outcome> {
    const began = performance.now();
    const { chain, network, evm } = this.market;
    await mkdir(this.dir);
    const books = openBooks(chain, network);
    const accounts = evm.accounts.map(({ address }) => address);
    const before = new Map<Address, bigint>();
    for (const { account } of this.#homes) before.set(account, await books.wealth(account));
    const unowed = await books.unowed(accounts);
    const sinceBlock = (await chain.getBlockNumber()) + 1;
    const had = this.#homes.flatMap((home) => remainsOf(home));
    for (const home of this.#homes) forgetPassed(home.dir);
    for (const { home, ...target } of cells) arm(this.#home(home).dir, target);
    const wrong: string[] = [];
    const limit = AbortSignal.timeout(LONGEST_MS + cells.length * KILL_MS);
    let ended = false;
    try {
      this.#submit = [
        "submit",
        await scenario.write(this),
        ...scenario.flags(this),
        "--yes",
        "--out",
        this.out,
      ];
      this.start(this.#submit);
      await this.#toTheEnd(scenario, limit);
      ended = true;
    } catch (error) {
      wrong.push((error as Error).message);
      this.#child?.process.kill("SIGKILL");
    }
    await this.#restarting;
    const passed = new Map(this.#homes.map((home) => [home.name, passedIn(home.dir)]));
    for (const { home, role, step, point } of cells) {
      disarm(this.#home(home).dir);
      if (!passed.get(home)?.some(({ killed }) => killed))
        wrong.push(`${role} ${step} ${point} was not reached`);
    }
    wrong.push(
      ...(await books.check({
        ...{ jobs: this.jobs, accounts, before, sinceBlock, unowed },
        honest: this.#homes.map(({ account }) => account),
        late: scenario.late === true ? [this.market.providers[0]!.account] : [],
      })),
    );
    return {
      seconds: Number(((performance.now() - began) / 1000).toFixed(1)),
      jobs: this.jobs.map(({ state, cause, verdict }) => `${state} ${cause ?? ""} ${verdict}`),
      transactions: await this.#calls(sinceBlock),
      remains: changes(
        had,
        this.#homes.flatMap((home) => remainsOf(home)),
      ),
      ...{ passed, wrong, ended },
    };
  }

  /** Writes the folder of a job; resolves with the path of its job.yaml. */
  async write(
    job: Readonly<Record<string, unknown>>,
    files: Readonly<Record<string, string>>,
  ): Promise<string> {
    const folder = join(this.dir, "job");
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await writeFile(join(folder, "job.yaml"), stringify(job));
    return join(folder, "job.yaml");
  }

  /** Runs a command of the requester's to its end; where it is killed, again as `instead` says. */
  async ichain(args: readonly string[], instead: readonly string[] = args): Promise<string> {
    let { code, said } = await this.#launch(args);
    while (code === null) ({ code, said } = await this.#launch(instead));
    return said;
  }

  start(args: readonly string[]): void {
    this.#child = this.#spawn(args);
  }

  async silence(): Promise<void> {
    this.#child?.process.kill("SIGKILL");
    await this.#child?.ended;
    this.#child = undefined;
  }

  async restart(name: string): Promise<void> {
    await this.market.killActor(name);
    // Killed at a step of its beginning it is started once more by `#revive`.
    await this.market.startActor(name).catch(() => undefined);
  }

  async travel(seconds: number): Promise<void> {
    await this.market.evm.increaseTime(seconds);
  }

  async #launch(args: readonly string[]): Promise<{ code: number | null; said: string }> {
    const child = this.#spawn(args);
    const code = await child.ended;
    return { code, said: child.said() };
  }

  #spawn(args: readonly string[]) {
    const node = ["--import", preload, program, ...args, "--json"];
    const process_ = spawn(process.execPath, node, {
      env: bareEnvironment({ ...asOwnerOf(this.market.requester), CI: "1" }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [process_.stdout, process_.stderr])
      stream.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-1500);
        this.#said = said;
      });
    const ended = new Promise<number | null>((resolve) => process_.on("close", resolve));
    return { process: process_, ended, said: () => said };
  }

  /** Restarts whoever was killed, moves time where the scenario says so, until nothing is left to do. */
  async #toTheEnd(scenario: Scenario, limit: AbortSignal): Promise<void> {
    const requester = this.market.requester;
    for await (const _ of setInterval(LOOK_MS)) {
      if (limit.aborted) throw new RangeError(this.#stuck());
      await this.#revive();
      for (const job of this.jobs) {
        const moment = `${job.id} ${job.state}${job.drawing ? " drawing" : ""}`;
        if (this.#done.has(moment)) continue;
        this.#done.add(moment);
        await scenario.at?.(this, job);
      }
      if (this.#child) {
        const code = await Promise.race([this.#child.ended, false as const]);
        if (code === false) continue;
        const { said } = this.#child;
        this.#child = undefined;
        if (code === null)
          this.start(
            this.jobs.length === 0 && unfinishedIn(requester).length === 0 ? this.#submit : ["resume"],
          );
        else if (code !== 0 && this.jobs.length === 0) throw new RangeError(said());
        continue;
      }
      if (this.jobs.length === 0 || this.jobs.some(({ state }) => !isFinal(state))) continue;
      if (unfinishedIn(requester).length > 0) {
        this.start(["resume"]);
        continue;
      }
      const paid = this.jobs.find(({ state }) => state === "Settled");
      if (paid && !existsSync(this.out)) await this.ichain(["get", paid.id, "-o", this.out]);
      const isLeft = this.#homes.some((home) => unfinishedIn(home).length > 0);
      if (isLeft || this.#overAt === undefined) {
        // A provider that was started again only after it decides then how long it serves: once more, a week on.
        if (performance.now() - (this.#overAt ?? Number.NEGATIVE_INFINITY) > OVER_MS) {
          this.#overAt = performance.now();
          await scenario.over?.(this);
        }
        continue;
      }
      await scenario.end?.(this);
      await this.#revive();
      age(requester);
      // Any command removes first what its home needs no longer.
      await this.ichain(["resume"]);
      return;
    }
  }

  async #revive(): Promise<void> {
    for (const home of this.#homes) {
      if (home === this.market.requester || this.#done.has(`revived ${home.name}`)) continue;
      if (!passedIn(home.dir).some(({ killed }) => killed)) continue;
      this.#done.add(`revived ${home.name}`);
      await this.restart(home.name);
    }
  }

  #home(name: string): Home {
    return this.#homes.find((home) => home.name === name)!;
  }

  #stuck(): string {
    const jobs = this.jobs.map(({ id, state }) => `${id.slice(0, 10)} is ${state}`);
    const open = this.#homes.flatMap((home) => unfinishedIn(home).map((one) => `${home.name}: ${one}`));
    return `it does not end: ${[...jobs, ...open].join(", ")}; the requester said ${this.#said}`;
  }

  /** Every transaction of an actor, by who sent it, which call it is and whether it did what it was to do. */
  async #calls(sinceBlock: number): Promise<string[]> {
    const all = await this.market.transactions(sinceBlock);
    const calls = all.flatMap(({ tx, receipt }) => {
      const home = this.#homes.find(({ account }) => sameAddress(account, tx.from as Address));
      if (home === undefined) return [];
      // A nonce that was given to a signature that nobody holds any more is used up by nothing.
      if (tx.data === "0x" && tx.value === 0n && tx.to === tx.from) return [];
      const [name, isDone] = [callName(tx.data), receipt.status === 1];
      // Anybody may take an exit, and who comes second in the same block is reverted.
      if (EXITS.includes(name)) return isDone ? [`anybody ${name}`] : [];
      return [`${home.name} ${name}${isDone ? "" : " reverted"}`];
    });
    return calls.sort();
  }
}

const interfaces = (["JobEscrow", "JobExceptions", "ProviderRegistry", "ProviderRating"] as const).map(
  (name) => artifactOf(name).abi,
);

function callName(data: string): string {
  const selector = data.slice(0, 10);
  return interfaces.map((one) => one.getFunction(selector)?.name).find(Boolean) ?? selector;
}
