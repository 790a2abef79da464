import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import {
  byAddress,
  type Decision,
  decideFrom,
  type RoundRules,
  stepOf,
} from "../../../protocol/federated/aggregate.ts";
import { CHUNK, type ChunkRange, chunksOf } from "../../../protocol/federated/codec/chunk.ts";
import { beginModelDigest, type Layout } from "../../../protocol/federated/digest.ts";
import { productsFrom } from "../../../protocol/federated/statistics.ts";
import type { Contributor } from "../../../protocol/federated/strategy.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { piecesOf } from "./files.ts";
import type { RoundPaths } from "./thread-child.ts";
import { Threads } from "./threads.ts";

/** Most chunks of a task: 4 million parameters. */
const SLICE = 1024;
/** Least tasks for each thread, so that all end at about the same time. */
const TASKS = 4;

export interface FileMember extends Contributor {
  /** Its update's file. */
  readonly path: string;
}

/**
 * A round whose updates and vectors are in files (`ChunkFiles`). Those of `next` and `nextStates` are made, and are others
 * than those of `model` and `states`.
 */
export interface RoundFiles extends Omit<RoundPaths, "updates"> {
  readonly members: readonly FileMember[];
  readonly root?: string;
  readonly layout: Layout;
}

/** Aggregates rounds in several threads. All sums are exact, so that their number does not change a digit. */
export class FileAggregation implements AsyncDisposable {
  readonly #threads: Threads;
  readonly #tasks: number;

  /** @param threads from 1; more than there are cores gain nothing */
  constructor(threads: number) {
    this.#threads = new Threads(threads);
    this.#tasks = TASKS * threads;
  }

  /** Digests of updates, in the order given. */
  digestsOf(paths: readonly string[]): Promise<Hex[]> {
    return Promise.all(paths.map((path) => this.#threads.do<"digest">({ kind: "digest", path })));
  }

  /**
   * Reads every update once.
   * @throws UPDATE_INVALID
   */
  async decide(rules: RoundRules, files: RoundFiles): Promise<Decision<FileMember>> {
    const entries = byAddress(files.members);
    const wanted = { root: files.root !== undefined, pairs: rules.strategy.needs.includes("pairs") };
    const paths = pathsOf(entries, files);
    const sums = this.#slicesOf(files.length).map((range) =>
      this.#threads.do<"products">({ kind: "products", files: paths, wanted, range }),
    );
    // No thread is still at the files when this one throws.
    await Promise.allSettled(sums);
    return decideFrom(rules, entries, productsFrom(await Promise.all(sums), paths.updates.length, wanted));
  }

  /**
   * Writes the model, and the server's states, that follow from taking `taken`; gives the model's digest, for which this
   * thread reads each part once it is written.
   * @throws UPDATE_INVALID, MODEL_INVALID
   */
  async makeNext(decision: Decision<FileMember>, taken: readonly number[], files: RoundFiles): Promise<Hex> {
    for (const path of [files.next, ...files.nextStates]) makeFile(path, 8 * files.length);
    const task = {
      kind: "next",
      files: pathsOf(decision.entries, files),
      step: stepOf(decision, taken),
    } as const;
    const written = this.#slicesOf(files.length).map((range) => ({
      range,
      done: this.#threads.do<"next">({ ...task, range }),
    }));
    const hasher = createHash("sha256");
    beginModelDigest(hasher, files.layout);
    try {
      for (const { range, done } of written) {
        await done;
        const [from, to] = [range.from, range.to].map((index) => index * CHUNK * 8);
        for (const piece of piecesOf(files.next, from, to)) hasher.update(piece);
      }
    } finally {
      await Promise.allSettled(written.map(({ done }) => done));
    }
    return `0x${hasher.digest("hex")}`;
  }

  #slicesOf(length: number): ChunkRange[] {
    const chunks = chunksOf(length);
    const size = Math.min(SLICE, Math.ceil(chunks / this.#tasks));
    return Array.from({ length: Math.ceil(chunks / size) }, (_, i) => ({
      from: i * size,
      to: Math.min((i + 1) * size, chunks),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads[Symbol.asyncDispose]();
  }
}

function pathsOf(entries: readonly FileMember[], files: RoundFiles): RoundPaths {
  const { length, model, states, next, nextStates, root } = files;
  const updates = [...entries.map(({ path }) => path), ...(root === undefined ? [] : [root])];
  return { length, updates, model, states, next, nextStates };
}

function makeFile(path: string, bytes: number): void {
  const file = openSync(path, "w");
  try {
    ftruncateSync(file, bytes);
  } finally {
    closeSync(file);
  }
}
