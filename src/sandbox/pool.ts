import { appendFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { linkSignals } from "../async/abort.ts";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { RunOptions, Sandbox, SandboxReport, SandboxTask } from "../ports/sandbox.ts";
import { tierAtLeast } from "../protocol/offer.ts";
import { dockerEngine } from "./engines/docker.ts";
import type { Engine } from "./engines/engine.ts";
import { remoteEngine } from "./engines/remote/remote.ts";
import type { Target } from "./engines/target.ts";
import { outputsLost } from "./run/outputs.ts";
import { createSandbox, type SandboxOptions } from "./sandbox.ts";

/** One engine of a pool, and the sandbox on it. */
export interface Member {
  readonly name: string;
  readonly engine: Engine;
  readonly sandbox: Sandbox;
}

export interface PoolOptions extends Omit<SandboxOptions, "engine" | "socketPath" | "shared"> {
  readonly engines: readonly { readonly name: string; readonly target: Target }[];
}

/** An engine that does not answer within this time gets no new task, milliseconds. */
const PING_MS = 5000;

/** The sandbox on a pool of Docker engines, on this machine (by socket) or on others, each with a state folder. */
export function createPool({ engines, stateDir, instance, ...rest }: PoolOptions): Sandbox {
  const members = engines.map(({ name, target }): Member => {
    const local = "socketPath" in target;
    const engine = local ? dockerEngine(target) : remoteEngine(target);
    const own = { engine, shared: !local, stateDir: join(stateDir, "engines", name) };
    return { name, engine, sandbox: createSandbox({ ...rest, instance, ...own }) };
  });
  return poolSandbox(members, stateDir);
}

/**
 * Several engines as one sandbox. A run goes to the least busy engine that answers and has what the task needs, and
 * stays there. Its engine is recorded in `stateDir`, so that it is found again after a crash. When that engine stops
 * answering, the run starts again on another one, and discarding the run cleans up both.
 */
export function poolSandbox(members: readonly Member[], stateDir: string): Sandbox {
  const busy = new Map<Member, number>(members.map((member) => [member, 0]));
  const reports = new Map<Member, SandboxReport>();
  /** Member whose GPUs a job holds, by job. */
  const holders = new Map<string, Member>();
  /** Discarded runs that an engine could not clean up because it did not answer. */
  const undiscarded = new Set<string>();
  const placementFile = (id: string) => join(stateDir, "placed", id);

  /** Why an engine does not answer; undefined when it does. */
  async function pingFailure({ engine }: Member, { signal }: RunOptions = {}): Promise<string | undefined> {
    using limit = linkSignals([signal], PING_MS);
    try {
      await engine.ping({ signal: limit.signal });
      return undefined;
    } catch (error) {
      signal?.throwIfAborted();
      return isIchainError(error) ? error.message.replace(/\.$/, "") : `no answer in ${PING_MS / 1000} s`;
    }
  }

  /**
   * The members that answer, by runs per CPU, the least busy first.
   * @throws DOCKER_UNAVAILABLE when none answers
   */
  async function healthy(options?: RunOptions): Promise<Member[]> {
    const failures = await Promise.all(members.map((member) => pingFailure(member, options)));
    const load = (member: Member) => (busy.get(member) ?? 0) / (reports.get(member)?.cpus ?? 1);
    const found = members.filter((_, i) => failures[i] === undefined).toSorted((a, b) => load(a) - load(b));
    if (found.length === 0) throw noEngineAnswers(members, failures);
    return found;
  }

  async function reportOf(member: Member, options?: RunOptions): Promise<SandboxReport> {
    const known = reports.get(member) ?? (await member.sandbox.probe(options));
    reports.set(member, known);
    return known;
  }

  async function place(task: SandboxTask, options?: RunOptions): Promise<Member> {
    const before = (await placed(task.id)).at(-1);
    const alive = await healthy(options);
    if (before !== undefined && alive.includes(before)) return before;
    for (const member of alive) {
      const { images, gpus } = await reportOf(member, options);
      const has = task.gpus.every((uuid) => gpus.some((gpu) => gpu.uuid === uuid));
      if (!has || !images.some(({ digest }) => digest === task.image)) continue;
      await mkdir(join(stateDir, "placed"), { recursive: true, mode: 0o700 });
      await appendFile(placementFile(task.id), `\n${member.name}`, { mode: 0o600 });
      return member;
    }
    throw noEngineFits(task.image);
  }

  /** Every member that a run was placed on, whether it answers now or not; the run is on the last one. */
  async function placed(id: string): Promise<Member[]> {
    const names = (await readFile(placementFile(id), "utf8").catch(() => "")).split("\n");
    return names.flatMap((name) => members.find((member) => member.name === name) ?? []);
  }

  /** Pings first, so that an engine that does not answer costs little time. */
  async function discardOn(member: Member, id: string): Promise<void> {
    const failure = await pingFailure(member);
    if (failure !== undefined) throw noEngineAnswers([member], [failure]);
    await member.sandbox.discard(id);
  }

  /** Discards a run on every member. One that does not answer is no failure: the run stays in `undiscarded`. */
  async function discardEverywhere(id: string): Promise<void> {
    const discards = [...new Set(await placed(id))].map((member) => discardOn(member, id));
    const failures = (await Promise.allSettled(discards)).flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    const other = failures.filter((error) => !isIchainError(error) || error.class !== "unavailable");
    if (other.length === 0 && failures.length > 0) return;
    undiscarded.delete(id);
    if (other.length > 0) throw other[0];
    await rm(placementFile(id), { force: true });
  }

  return {
    async probe(options) {
      reports.clear();
      const alive = await healthy(options);
      return merge(await Promise.all(alive.map((member) => reportOf(member, options))));
    },

    async ping(options) {
      await healthy(options);
    },

    async run(task, options) {
      undiscarded.delete(task.id); // the run starts again: its record must stay
      const member = await place(task, options);
      busy.set(member, (busy.get(member) ?? 0) + 1);
      try {
        return await member.sandbox.run(task, options);
      } finally {
        busy.set(member, (busy.get(member) ?? 1) - 1);
      }
    },

    async outputs(id, options) {
      const member = (await placed(id)).at(-1);
      if (member === undefined) throw outputsLost(id);
      return member.sandbox.outputs(id, options);
    },

    async checkpoint(id, request, options) {
      return (await placed(id)).at(-1)?.sandbox.checkpoint(id, request, options);
    },

    async discard(id) {
      const earlier = [...undiscarded].filter((other) => other !== id);
      undiscarded.add(id);
      await Promise.all([
        discardEverywhere(id),
        ...earlier.map((other) => discardEverywhere(other).catch(() => undefined)),
      ]);
    },

    async prepare(image, bounds, options) {
      const [member] = await healthy(options);
      if (member === undefined) throw noEngineAnswers(members, []);
      const digest = await member.sandbox.prepare(image, bounds, options);
      reports.delete(member); // its list of images has changed
      return digest;
    },

    async trim(budget, options) {
      const alive = await healthy(options);
      return (await Promise.all(alive.map(({ sandbox }) => sandbox.trim(budget, options)))).flat();
    },

    async reserve(job, request, options) {
      let refusal: unknown;
      const held = holders.get(job);
      for (const member of held ? [held] : await healthy(options)) {
        try {
          const gpus = await member.sandbox.reserve(job, request, options);
          if (gpus.length > 0) holders.set(job, member);
          return gpus;
        } catch (error) {
          // Report busy rather than absent: waiting helps.
          if (refusal === undefined || isIchainError(error, "GPU_BUSY")) refusal = error;
        }
      }
      throw refusal;
    },

    release(job) {
      holders.get(job)?.sandbox.release(job);
      holders.delete(job);
    },

    async sweep(keep, options) {
      const alive = await healthy(options);
      for (const member of alive) await member.sandbox.sweep(keep, options);
      for (const id of await readdir(join(stateDir, "placed")).catch(() => [])) {
        if (keep.has(id)) continue;
        if ((await placed(id)).every((member) => alive.includes(member)))
          await rm(placementFile(id), { force: true });
        else undiscarded.add(id);
      }
    },
  };
}

/** One report for all: the largest engine, because a task runs on one, and the weakest tier. */
function merge(reports: readonly SandboxReport[]): SandboxReport {
  const images = new Map(reports.flatMap((report) => report.images.map((image) => [image.digest, image])));
  return {
    engine: `pool of ${reports.length}`,
    engineVersion: [...new Set(reports.map(({ engineVersion }) => engineVersion))].join(", "),
    tier: reports.map(({ tier }) => tier).reduce((least, tier) => (tierAtLeast(tier, least) ? least : tier)),
    cpus: Math.max(...reports.map(({ cpus }) => cpus)),
    memoryBytes: Math.max(...reports.map(({ memoryBytes }) => memoryBytes)),
    together: reports.reduce(
      (sum, { cpus, memoryBytes, together = { cpus, memoryBytes } }) => ({
        cpus: sum.cpus + together.cpus,
        memoryBytes: sum.memoryBytes + together.memoryBytes,
      }),
      { cpus: 0, memoryBytes: 0 },
    ),
    gpus: reports.flatMap(({ gpus }) => gpus),
    images: [...images.values()],
  };
}

function noEngineAnswers(members: readonly Member[], why: readonly (string | undefined)[]): IchainError {
  return new IchainError("DOCKER_UNAVAILABLE", `None of the ${members.length} engines answers.`, {
    hint: `Check the engines ${members.map(({ name }, i) => `${name} (${why[i] ?? "no answer"})`).join(", ")}.`,
  });
}

function noEngineFits(image: string): IchainError {
  return new IchainError("ENGINE_MISSING", "No engine that answers now has what the task needs.", {
    details: { image },
  });
}
