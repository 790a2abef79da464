import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Abortable } from "../../../../../async/abort.ts";
import { IchainError } from "../../../../../errors/error.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { toHex } from "../../../../../protocol/bytes.ts";
import { modelDigest } from "../../../../../protocol/federated/digest.ts";
import { readModel, writeModel } from "../../../../../protocol/federated/model-file.ts";
import type { Memory } from "../../../../../protocol/federated/strategy.ts";
import { readEvidence } from "../../../../../protocol/gossip/chain/evidence.ts";
import { genesisOf } from "../../../../../protocol/gossip/genesis.ts";
import { poolTimes } from "../../../../../protocol/gossip/job-pool.ts";
import { countModels, type PeerEvidence } from "../../../../../protocol/gossip/settle/counted.ts";
import {
  earlierThan,
  mixesOf,
  planTrials,
  type Trial,
} from "../../../../../protocol/gossip/settle/trials.ts";
import { poolGainsOf, withoutChance } from "../../../../../protocol/gossip/settle/worth.ts";
import type { Address, Hex } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { ModelFolder } from "../../../../gossip/settle/model-folder.ts";
import { readVector, writeVector } from "../../../aggregation/vector-file.ts";
import { readBounded } from "../../read-bounded.ts";
import type { TaskPlace } from "../../train.ts";
import type { RoundBasis } from "../draft.ts";
import type { LeadFiles } from "../files.ts";
import { measureModels } from "./measure.ts";
import { everyRow, type Rows, rowsFile } from "./rows.ts";

const BASE = "model";
const HIDDEN = "hidden";
/** How far two machines may be apart in what a peer's training gave in a span, millionths of accuracy. */
const NEAR = 1_000;

interface PoolPlace {
  readonly draft: RoundBasis;
  readonly files: LeadFiles;
  readonly tasks: TaskPlace;
  readonly test: Rows;
  readonly members: readonly Address[];
}

interface HandedOver {
  readonly account: Address;
  readonly path: string;
}

interface PoolRequest {
  readonly round: number;
  /** What peers handed over, checked (`checkUpdate`). */
  readonly updates: readonly HandedOver[];
  /** Names its steps and runs. */
  readonly tag: string;
}

/** What was measured of a pool, of each that handed over: all that a machine's floats can change about it. */
export interface PoolMeasurements {
  /** Of the model that the network began with. */
  readonly before: { readonly acc: number; readonly loss: number };
  /** What a peer's training gave the exam's accuracy, mean of all spans, millionths; in the order given. */
  readonly members: readonly { readonly account: Address; readonly accuracy: number }[];
}

/** Has the exam measure what each peer's training added (ADR 52), in this machine's sandbox. */
export async function measurePool(
  context: WorkerContext,
  journal: JobJournal,
  place: PoolPlace,
  request: PoolRequest,
  options: Abortable,
): Promise<{ readonly measured: PoolMeasurements }> {
  const { measured } = await withTrials(place, request, options, (plan) =>
    measureTrials(context, journal, place, { ...request, ...plan }, options),
  );
  return { measured };
}

/**
 * Settles a pool: the next model is what all peers' training made of the last span's models, and what counts of a peer is
 * what its own gave. The same evidence gives the same, but for what `agree` lets differ.
 */
export async function settlePool(
  context: WorkerContext,
  journal: JobJournal,
  place: PoolPlace,
  request: PoolRequest & {
    /** Digest of the model that the network began with. */
    readonly parent: Hex;
    readonly memory: Memory;
    readonly next?: { readonly model: string };
    readonly agree?: (measured: PoolMeasurements) => PoolMeasurements;
  },
  options: Abortable,
) {
  const { round, updates, parent, memory } = request;
  const { files } = place;
  const next = request.next?.model ?? files.model(round + 1);
  if (updates.length === 0) {
    await copyFile(files.model(round), next);
    return { digest: parent, memory, before: undefined, members: [] };
  }
  return await withTrials(place, request, options, async (plan) => {
    const { measured } = await measureTrials(context, journal, place, { ...request, ...plan }, options);
    const counted = request.agree?.(measured) ?? measured;
    const apart = counted.members.find(
      ({ accuracy }, i) => Math.abs(accuracy - measured.members[i]!.accuracy) > NEAR,
    );
    if (apart !== undefined)
      throw new IchainError(
        "FEDERATED_DISAGREED",
        `Another validator's account of a pool is not signed: it measured something else of ${apart.account}.`,
      );
    const worth = withoutChance(new Map(counted.members.map(({ account, accuracy }) => [account, accuracy])));
    const last = plan.trials.at(-1);
    const model = last && readModel(plan.models.fileOf(last.all));
    if (model === undefined) await copyFile(files.model(round), next);
    else writeVector(next, model.vector);
    return {
      digest: model ? modelDigest(createHash("sha256"), model.layout, model.vector) : parent,
      ...{ memory, before: counted.before },
      members: counted.members.map((one) => {
        const taken = worth.get(one.account)! > 0;
        return { ...one, taken, weight: taken ? 1 : 0 };
      }),
    };
  });
}

interface Plan {
  readonly trials: readonly Trial[];
  readonly models: ModelFolder;
}

/** Lays out the models that peers handed over, and plans what is to be measured of them. */
async function withTrials<T>(
  place: PoolPlace,
  { updates, tag }: PoolRequest,
  options: Abortable,
  use: (plan: Plan) => Promise<T>,
): Promise<T> {
  const { draft, files } = place;
  const pool = draft.spec.federated.gossip!;
  const folder = join(files.dir, `pool-${tag}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const chains = new Map<string, PeerEvidence["blocks"]>();
    for (const { account, path } of updates) {
      const bytes = await readBounded(path, pool.evidence);
      const { blocks, models } = readEvidence(bytes, { account, pool, again: true });
      chains.set(account.toLowerCase(), blocks);
      const named = new Set(
        blocks.flatMap(({ block }) => block.transactions.map(({ transaction }) => transaction.model)),
      );
      for (const model of models) {
        const digest = toHex(createHash("sha256").update(model).digest());
        const file = join(folder, `${digest.slice(2)}.safetensors`);
        if (named.has(digest) && !existsSync(file)) await writeFile(file, model);
      }
      await setImmediate(undefined, options);
    }
    // Who handed nothing over still vouches for what others showed.
    const peers = place.members.map((one): PeerEvidence => {
      const account = one.toLowerCase() as Address;
      return { account, blocks: chains.get(account) ?? [] };
    });
    const genesis = genesisOf(pool.network, draft);
    const named = peers.flatMap(({ blocks }) =>
      blocks.flatMap(({ block }) => block.transactions.map(({ transaction }) => transaction.model)),
    );
    const models = await ModelFolder.open(folder, genesis, named, options);
    const { from, until } = poolTimes(pool, draft.terms);
    const { counted } = countModels(peers, { from, until, has: (model) => models.has(model) });
    const dot = (a: Hex, b: Hex) => models.dot(a, b);
    // Inner products are kept: made here, one model's at a time, they do not hold up what else the daemon does.
    for (const one of counted) {
      const all = [one.model, ...earlierThan(one, counted, pool.span)];
      for (const a of all) for (const b of all) dot(a, b);
      await setImmediate(undefined, options);
    }
    return await use({ trials: planTrials(counted, { from, span: pool.span, dot }), models });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureTrials(
  context: WorkerContext,
  journal: JobJournal,
  { draft, files, tasks, test }: PoolPlace,
  { round, updates, tag, trials, models }: PoolRequest & Plan,
  options: Abortable,
): Promise<{ readonly measured: PoolMeasurements }> {
  const { layout } = draft;
  const start = () =>
    writeModel({ layout, vector: readVector(files.model(round), draft.spec.federated.parameters) });
  const mixes = mixesOf(trials);
  const made = [...mixes].map(([name, mix]) => [name, () => models.fileOf(mix)] as const);
  const request = {
    name: `measure-${tag}`,
    models: new Map<string, () => Uint8Array>([[BASE, start], ...made]),
    sets: new Map([[HIDDEN, rowsFile(test, everyRow(test))]]),
  };
  const found = await measureModels(context, journal, tasks, request, options);
  const names = new Map([...mixes].map(([name, mix]) => [mix, name]));
  const accounts = updates.map(({ account }) => account.toLowerCase() as Address);
  const gains = poolGainsOf(accounts, trials, (mix) =>
    Math.round(1e6 * found[names.get(mix)!]![HIDDEN]!.acc),
  );
  const members = updates.map(({ account }) => {
    const gain = gains.get(account.toLowerCase() as Address)!;
    return { account, accuracy: Math.round(gain / Math.max(1, trials.length)) };
  });
  return { measured: { before: found[BASE]![HIDDEN]!, members } };
}
