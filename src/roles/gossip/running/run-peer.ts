import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Abortable, linkSignals, raceSignal, together } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { PeerStore } from "../../../ports/gossip.ts";
import type { Reporter } from "../../../ports/reporter.ts";
import type { Hosting } from "../../../ports/transport.ts";
import { Vector } from "../../../protocol/federated/vector.ts";
import type { Envelope } from "../../../protocol/gossip/peer/envelope.ts";
import type { GossipPeer } from "../../../protocol/gossip/peer/peer.ts";
import type { Effect } from "../../../protocol/gossip/peer/state.ts";
import type { GossipPeerFile } from "../../../protocol/gossip/peer-file.ts";
import { CLOCK_SKEW } from "../../../protocol/gossip/records/limits.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import { keepShown } from "../settle/shown-models.ts";
import type { ModelFiles } from "./model-files.ts";
import type { Neighbours } from "./neighbours.ts";
import type { OwnModelFile } from "./own-model.ts";
import type { MeasuredFile, TaskLearner } from "./task-learner.ts";

/** Failed runs of the task in a row after which the peer ends. */
const MOST_FAILURES = 3;
const TIDY_SECONDS = 10;
/** Models of others in one run of the task; further ones wait for the next. */
const MOST_MEASURED = 32;
/** Name of the own model in a run that measures. */
const OWN = "own";

/** Processor time that a peer used, seconds. */
export interface PeerCpu {
  /** Signing, verifying, hashing and storing records: the chain's part. */
  readonly records: number;
  /** All of this process, that included; tor not. */
  readonly process: number;
  /** Of the task's runs. */
  readonly tasks: number;
}

/** What a peer tells its owner. */
export type PeerEvent =
  | { readonly event: "trained"; readonly trainings: number; readonly seconds: number }
  /** `accuracy`: of its own model, on its own rows that measure. */
  | { readonly event: "measured"; readonly models: number; readonly accuracy: number }
  | { readonly event: "averaged"; readonly models: number; readonly leftOut: number }
  | {
      readonly event: "block";
      readonly height: number;
      readonly transactions: number;
      readonly receipts: number;
      readonly confirmations: number;
      readonly cpu: PeerCpu;
    };

export interface RunningParts {
  readonly file: GossipPeerFile;
  readonly peer: GossipPeer;
  readonly store: PeerStore;
  readonly neighbours: Neighbours;
  readonly models: ModelFiles;
  readonly own: OwnModelFile;
  readonly learner: TaskLearner;
  /** Folder of the models that it showed, for pools. */
  readonly shown: string;
  readonly reporter: Reporter;
  tell(event: PeerEvent): void;
}

/** A model that came and is to be measured. */
interface Waiting {
  readonly model: Hex;
  readonly since: number;
}

/** A peer at work: what its state machine wants is done, and what happens is told to it. */
export class RunningPeer {
  readonly #parts: RunningParts;
  readonly #waiting = new Map<Hex, Waiting>();
  /** The last fetch of each neighbour's models: one at a time. */
  readonly #fetching = new Map<Address, Promise<void>>();
  #woken = Promise.withResolvers<void>();
  #full = false;
  #trainings = 0;
  #recordsCpu = 0;
  /** Messages that were passed over, and models that are none of the network. */
  refused = 0;
  /** Of its own model, as measured last. */
  accuracy: number | undefined;

  constructor(parts: RunningParts) {
    this.#parts = parts;
  }

  get cpu(): PeerCpu {
    const { user, system } = process.cpuUsage();
    const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000;
    return {
      records: rounded(this.#recordsCpu),
      process: rounded((user + system) / 1e6),
      tasks: rounded(this.#parts.learner.cpuSeconds),
    };
  }

  /** Finished blocks. */
  get height(): number {
    return this.#parts.peer.height;
  }

  /** A neighbour's message. */
  take(from: Address, { message, root }: Extract<Envelope, { kind: "record" }>, { signal }: Abortable): void {
    this.#act((peer) => peer.receive(from, message, unixTime()), { root, signal });
  }

  /** Runs until the signal aborts. @throws FEDERATED_TASK_FAILED where the task fails again and again */
  async run(hosting: Hosting, options: Abortable): Promise<void> {
    await together(
      [
        (one) => this.#parts.neighbours.run(hosting, one),
        (one) => this.#passTime(one),
        (one) => this.#learn(one),
      ],
      options,
    );
  }

  async #passTime({ signal }: Abortable): Promise<void> {
    const { peer, models } = this.#parts;
    for (let second = 0; ; second++) {
      this.#act(() => peer.tick(unixTime()), { signal });
      if (second % TIDY_SECONDS === 0) await models.tidy(peer.models, unixTime());
      await delay(1000, undefined, { signal });
    }
  }

  /** Has the state machine decide, and does what it wants; the time that takes is the chain's part. */
  #act(
    decide: (peer: GossipPeer) => readonly Effect[],
    { root, signal }: { readonly root?: Hex | undefined; readonly signal: AbortSignal },
  ): void {
    const { peer, store, neighbours, models } = this.#parts;
    const before = process.cpuUsage();
    const effects = decide(peer);
    const kept = effects.flatMap((effect) => (effect.kind === "keep" ? [effect.kept] : []));
    if (kept.length > 0) store.keep(kept);
    for (const effect of effects) {
      if (effect.kind === "refused") this.refused += 1;
      else if (effect.kind === "average") this.#full = true;
      else if (effect.kind === "send") {
        const { message, to } = effect;
        const model = message.kind === "transaction" ? message.witnessed.transaction.model : undefined;
        const hosted = model === undefined ? undefined : models.rootOf(model);
        neighbours.send(to, { kind: "record", message, ...(hosted !== undefined && { root: hosted }) });
      }
    }
    const { user, system } = process.cpuUsage(before);
    this.#recordsCpu += (user + system) / 1e6;
    for (const effect of effects) {
      if (effect.kind === "measure") this.#fetch(effect, root, signal);
      if (effect.kind === "keep" && effect.kept.kind === "final") {
        const { block, confirmations } = effect.kept.final;
        this.#parts.tell({
          event: "block",
          height: block.height,
          transactions: block.transactions.length,
          receipts: block.transactions.reduce((sum, { receipts }) => sum + receipts.length, 0),
          confirmations: confirmations.length,
          cpu: this.cpu,
        });
      }
    }
  }

  #fetch(effect: Extract<Effect, { kind: "measure" }>, root: Hex | undefined, signal: AbortSignal): void {
    const { from } = effect;
    const turn = (this.#fetching.get(from) ?? Promise.resolve()).then(() =>
      this.#fetchNow(effect, root, signal),
    );
    this.#fetching.set(from, turn);
    void turn.finally(() => {
      if (this.#fetching.get(from) === turn) this.#fetching.delete(from);
    });
  }

  /** Never rejects: a model that does not come is not measured. */
  async #fetchNow(
    { transaction, model, bytes, from }: Extract<Effect, { kind: "measure" }>,
    root: Hex | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { peer, models, neighbours, file } = this.#parts;
    const [endpoint, meter] = [neighbours.endpointOf(from), neighbours.meterOf(from)];
    const life = file.gossip.expire;
    try {
      if (endpoint === undefined || meter === undefined || root === undefined || !models.canTravelAs(bytes))
        return peer.unmeasurable(transaction);
      using limit = linkSignals([signal], life * 1000);
      await meter.ready(limit);
      meter.count(bytes);
      const until = unixTime() + life + CLOCK_SKEW;
      await models.fetch({ endpoint, root, digest: model, bytes, until }, limit);
      this.#waiting.set(transaction, { model, since: Date.now() });
      this.#wake();
    } catch (error) {
      if (isIchainError(error, "MODEL_INVALID")) this.refused += 1;
      peer.unmeasurable(transaction);
    }
  }

  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }

  /** Trains, measures and averages, one after the other: a machine has its task once. */
  async #learn({ signal }: Abortable): Promise<void> {
    const { file, learner, reporter } = this.#parts;
    let [trainsAt, failures, seen] = [Date.now(), 0, ""];
    for (;;) {
      signal.throwIfAborted();
      try {
        const measuresAt = this.#measuresAt();
        if (Date.now() >= measuresAt) await this.#measure({ signal });
        else if (!file.observer && Date.now() >= trainsAt) {
          const rows = file.fresh ? await learner.rowsSeen() : undefined;
          if (rows === undefined || rows !== seen) await this.#train({ signal });
          seen = rows ?? seen;
          trainsAt = Date.now() + 1000 * drawn(file.interval);
        } else {
          const next = Math.min(measuresAt, file.observer ? Number.POSITIVE_INFINITY : trainsAt);
          const most = Math.min(next - Date.now(), 60_000);
          await raceSignal(this.#woken.promise, signal, Math.max(1, most));
        }
        failures = 0;
      } catch (error) {
        signal.throwIfAborted();
        if (!isIchainError(error) || ++failures >= MOST_FAILURES) throw error;
        reporter.emit({ kind: "warn", text: `${error.message} The peer tries again.` });
        trainsAt = Date.now() + 1000 * drawn(file.interval);
      }
    }
  }

  /** When what came is to be measured, milliseconds: at once where a buffer is full. */
  #measuresAt(): number {
    const { gossip, gather } = this.#parts.file;
    if (this.#waiting.size >= gossip.buffer) return 0;
    const [oldest] = this.#waiting.values();
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.since + 1000 * gather;
  }

  async #train({ signal }: Abortable): Promise<void> {
    const { peer, models, own, learner, file, tell } = this.#parts;
    const begun = performance.now();
    const trained = await learner.train(own.model, this.#trainings + 1, { signal });
    await own.replace(trained);
    this.#trainings += 1;
    const now = unixTime();
    const { digest: model, bytes } = await models.put(trained, now + file.gossip.expire + CLOCK_SKEW);
    const path = models.fileOf(model);
    if (path !== undefined) await keepShown(this.#parts.shown, path, file.keep);
    this.#act(() => peer.publish({ model, bytes }, now), { signal });
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    tell({ event: "trained", trainings: this.#trainings, seconds });
  }

  async #measure({ signal }: Abortable): Promise<void> {
    const { peer, models, own, tell } = this.#parts;
    const batch = [...this.#waiting].slice(0, MOST_MEASURED);
    const files = new Map<string, MeasuredFile>([[OWN, own.copyTo]]);
    for (const [transaction, { model }] of batch) {
      this.#waiting.delete(transaction);
      files.set(model, (path) => models.copyTo(model, path));
    }
    const found = await this.#measureEach(files, { signal });
    for (const [transaction, { model }] of batch) {
      const accuracy = found.get(model);
      if (accuracy === undefined) peer.unmeasurable(transaction);
      else this.#act(() => peer.measured(transaction, accuracy, unixTime()), { signal });
    }
    const accuracy = found.get(OWN);
    if (accuracy === undefined) return;
    this.accuracy = accuracy;
    tell({ event: "measured", models: found.size - 1, accuracy });
    if (this.#full) await this.#average(accuracy, { signal });
  }

  /** All in one run; each in a run of its own where that fails, so that one of them cannot spoil it for the others. */
  async #measureEach(
    files: ReadonlyMap<string, MeasuredFile>,
    options: Abortable,
  ): Promise<ReadonlyMap<string, number>> {
    const { learner } = this.#parts;
    try {
      return await learner.measure(files, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (files.size === 1 || !isIchainError(error, "FEDERATED_TASK_FAILED")) throw error;
    }
    const found = new Map(await learner.measure(new Map([[OWN, files.get(OWN)!]]), options));
    for (const [name, write] of files) {
      if (name === OWN) continue;
      try {
        for (const measured of await learner.measure(new Map([[name, write]]), options))
          found.set(...measured);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!isIchainError(error, "FEDERATED_TASK_FAILED")) throw error;
      }
    }
    return found;
  }

  /** Reads one model after the other: two are in memory, however many are averaged. */
  async #average(accuracy: number, { signal }: Abortable): Promise<void> {
    const { peer, models, own, learner, tell } = this.#parts;
    const mine = own.model.vector.toNumbers();
    const distances = new Map<Hex, number>();
    for (const digest of peer.buffered) distances.set(digest, distance(mine, await valuesOf(models, digest)));
    this.#full = false;
    let shares: { readonly model: Hex; readonly share: number }[] = [];
    let kept = 1;
    this.#act(
      () => {
        const distanceTo = (model: Hex) => distances.get(model)!;
        const { averaging, effects } = peer.average({ accuracy, rows: learner.rows, distanceTo });
        [shares, kept] = [[...averaging.received], averaging.own];
        return effects;
      },
      { signal },
    );
    const next = mine.map((value) => kept * value);
    for (const { model, share } of shares) {
      if (share === 0) continue;
      for (const [i, value] of (await valuesOf(models, model)).entries()) next[i]! += share * value;
    }
    await own.replace({ layout: own.model.layout, vector: Vector.fromNumbers(next) });
    tell({
      event: "averaged",
      models: shares.length,
      leftOut: shares.filter(({ share }) => share === 0).length,
    });
  }
}

async function valuesOf(models: ModelFiles, digest: Hex): Promise<Float64Array> {
  return (await models.read(digest)).vector.toNumbers();
}

function distance(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += (one[i]! - other[i]!) ** 2;
  return Math.sqrt(sum);
}

function drawn([least, most]: readonly [number, number]): number {
  return least + randomInt(most - least + 1);
}

function unixTime(): number {
  return Math.floor(Date.now() / 1000);
}
