import { appendFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { IchainError, isIchainError } from "../errors/error.ts";
import type { RunOptions, Sandbox, SandboxReport, SandboxTask } from "../ports/sandbox.ts";
import { tierAtLeast } from "../protocol/offer.ts";
import { dockerEngine } from "./engines/docker.ts";
import type { Engine } from "./engines/engine.ts";
import { remoteEngine } from "./engines/remote/remote.ts";
import type { Target } from "./engines/target.ts";
import { outputsLost } from "./run/outputs.ts";
import { createSandbox, type SandboxOptions } from "./sandbox.ts";

/** One engine of a pool, with its sandbox. */
export interface Member {
  readonly name: string;
  readonly engine: Engine;
  readonly sandbox: Sandbox;
}

export interface PoolOptions extends Omit<SandboxOptions, "engine" | "socketPath" | "shared"> {
  readonly engines: readonly { readonly name: string; readonly target: Target }[];
}

/** An engine that has not answered by then gets no new task. */
const PING_MS = 5000;

/** The sandbox on a pool of Docker engines, here (by socket) or elsewhere, each with a state folder. */
export function createPool({ engines, stateDir, instance, ...rest }: PoolOptions): Sandbox {
  const members = engines.map(({ name, target }): Member => {
    const here = "socketPath" in target;
    const engine = here ? dockerEngine(target) : remoteEngine(target);
    const own = { engine, shared: !here, stateDir: join(stateDir, "engines", name) };
    return { name, engine, sandbox: createSandbox({ ...rest, instance, ...own }) };
  });
  return poolSandbox(members, stateDir);
}

/**
 * Several engines as one sandbox: a run goes to the least busy engine that answers and has what it asks
 * for, and stays with it. Where it went is noted in `stateDir`, so that it is found again after a crash;
 * when its engine answers no more it begins anew on another one, and what it left on the first is removed
 * when the run is discarded.
 */
export function poolSandbox(members: readonly Member[], stateDir: string): Sandbox {
  const busy = new Map<Member, number>(members.map((member) => [member, 0]));
  const reports = new Map<Member, SandboxReport>();
  /** Which member's GPUs a job holds. */
  const holders = new Map<string, Member>();
  /** Discarded runs of which an engine that did not answer may still hold something. */
  const owed = new Set<string>();
  const noteOf = (id: string) => join(stateDir, "placed", id);

  /** Why an engine does not answer; undefined when it does. */
  async function silence({ engine }: Member, { signal }: RunOptions = {}): Promise<string | undefined> {
    const limit = AbortSignal.timeout(PING_MS);
    try {
      await engine.ping({ signal: AbortSignal.any(signal ? [signal, limit] : [limit]) });
      return undefined;
    } catch (error) {
      signal?.throwIfAborted();
      return isIchainError(error) ? error.message.replace(/\.$/, "") : `no answer in ${PING_MS / 1000} s`;
    }
  }

  /** Those that answer, the least busy for its size first; throws `DOCKER_UNAVAILABLE` when none does. */
  async function healthy(options?: RunOptions): Promise<Member[]> {
    const silent = await Promise.all(members.map((member) => silence(member, options)));
    const load = (member: Member) => (busy.get(member) ?? 0) / (reports.get(member)?.cpus ?? 1);
    const found = members.filter((_, i) => silent[i] === undefined).toSorted((a, b) => load(a) - load(b));
    if (found.length === 0) throw noEngineAnswers(members, silent);
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
      await appendFile(noteOf(task.id), `\n${member.name}`, { mode: 0o600 });
      return member;
    }
    throw noEngineFits(task.image);
  }

  /** Every engine that a run has gone to, whether it answers now or not; it is on the last one. */
  async function placed(id: string): Promise<Member[]> {
    const noted = (await readFile(noteOf(id), "utf8").catch(() => "")).split("\n");
    return noted.flatMap((name) => members.find((member) => member.name === name) ?? []);
  }

  /** A silent engine is not waited for. */
  async function clear(member: Member, id: string): Promise<void> {
    const silent = await silence(member);
    if (silent !== undefined) throw noEngineAnswers([member], [silent]);
    await member.sandbox.discard(id);
  }

  /** Clears a run everywhere; what an engine cannot do now stays owed, and is no failure of the call. */
  async function forget(id: string): Promise<void> {
    const visits = [...new Set(await placed(id))].map((member) => clear(member, id));
    const failures = (await Promise.allSettled(visits)).flatMap((visit) =>
      visit.status === "rejected" ? [visit.reason as unknown] : [],
    );
    const other = failures.filter((error) => !isIchainError(error) || error.class !== "unavailable");
    if (other.length === 0 && failures.length > 0) return;
    owed.delete(id);
    if (other.length > 0) throw other[0];
    await rm(noteOf(id), { force: true });
  }

  return {
    async probe(options) {
      reports.clear();
      const alive = await healthy(options);
      return merge(await Promise.all(alive.map((member) => reportOf(member, options))));
    },

    async run(task, options) {
      owed.delete(task.id); // it is wanted again
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

    async discard(id) {
      const earlier = [...owed].filter((other) => other !== id);
      owed.add(id);
      await Promise.all([forget(id), ...earlier.map((other) => forget(other).catch(() => undefined))]);
    },

    async prepare(image, bounds, options) {
      const [member] = await healthy(options);
      if (member === undefined) throw noEngineAnswers(members, []);
      const digest = await member.sandbox.prepare(image, bounds, options);
      reports.delete(member); // it holds one more now
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
          // Busy says more than absent: it passes.
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
          await rm(noteOf(id), { force: true });
        else owed.add(id);
      }
    },
  };
}

/** What can be had from one engine at a time; the weakest tier. */
function merge(reports: readonly SandboxReport[]): SandboxReport {
  const images = new Map(reports.flatMap((report) => report.images.map((image) => [image.digest, image])));
  return {
    engine: `pool of ${reports.length}`,
    engineVersion: [...new Set(reports.map(({ engineVersion }) => engineVersion))].join(", "),
    tier: reports.map(({ tier }) => tier).reduce((least, tier) => (tierAtLeast(tier, least) ? least : tier)),
    cpus: Math.max(...reports.map(({ cpus }) => cpus)),
    memoryBytes: Math.max(...reports.map(({ memoryBytes }) => memoryBytes)),
    gpus: reports.flatMap(({ gpus }) => gpus),
    images: [...images.values()],
  };
}

function noEngineAnswers(members: readonly Member[], why: readonly (string | undefined)[]): IchainError {
  return new IchainError("DOCKER_UNAVAILABLE", `None of the ${members.length} engines answers.`, {
    hint: `Look after ${members.map(({ name }, i) => `${name} (${why[i] ?? "silent"})`).join(", ")}.`,
  });
}

function noEngineFits(image: string): IchainError {
  return new IchainError("ENGINE_MISSING", "No engine that answers now has what the task needs.", {
    details: { image },
  });
}
