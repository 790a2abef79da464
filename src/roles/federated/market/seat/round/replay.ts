import { readFile } from "node:fs/promises";
import type { Abortable } from "../../../../../async/abort.ts";
import { isIchainError } from "../../../../../errors/error.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { ReplayFinding } from "../../../../../protocol/federated/replay.ts";
import type { Address, Hex } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { readVector } from "../../../aggregation/vector-file.ts";
import { Random } from "../../../data/random.ts";
import { comesFrom } from "../../../encode.ts";
import type { ArrivedUpdate, RoundPlace } from "../../requester/round/aggregate.ts";
import { type Rows, rowsFile } from "../../requester/round/rows.ts";
import { discardRun, trainingSeed, trainRound } from "../../train.ts";
import type { ShowResiduals } from "../residuals.ts";

/** An update, and the root of the parcel that its provider signed. */
export type SignedUpdate = ArrivedUpdate & { readonly upload: Hex; readonly residuals?: ShowResiduals };

/**
 * Replays the suspects of a round and as many others by chance as the job asks for: trains as the provider says that it
 * did, and compares the updates. Every seat draws the same, by a seed that providers do not know.
 */
export async function replay(
  context: WorkerContext,
  journal: JobJournal,
  place: RoundPlace,
  {
    round,
    updates,
    suspects,
  }: {
    readonly round: number;
    readonly updates: readonly SignedUpdate[];
    /** Some of them. */
    readonly suspects: readonly ArrivedUpdate[];
  },
  options: Abortable,
): Promise<ReadonlyMap<Address, ReplayFinding>> {
  const { draft } = place;
  const { audit } = draft.file.federated;
  const { train } = place;
  if (audit === "off" || train === undefined) return new Map();
  const byAddress = updates.toSorted((a, b) => (a.account.toLowerCase() < b.account.toLowerCase() ? -1 : 1));
  const order = new Random(`audit ${draft.seed} ${round}`).shuffle(Uint32Array.from(byAddress.keys()));
  const drawn = new Set([...order.subarray(0, audit)].map((at) => byAddress[at]!.account));
  const isSuspect = ({ account }: ArrivedUpdate) => suspects.some((one) => one.account === account);
  const replayed = updates.filter((one) => isSuspect(one) || drawn.has(one.account));
  const found = new Map<Address, ReplayFinding>();
  for (const update of replayed)
    found.set(
      update.account,
      await replayOne(
        context,
        journal,
        { ...place, train },
        // Of two updates that one provider signed each has its own finding.
        { name: `replay-${round}-${update.place}-${update.upload.slice(0, 34)}`, round, update },
        options,
      ).catch(failedHere),
    );
  return found;
}

/** A task that fails here says nothing of what the provider did. */
function failedHere(error: unknown): ReplayFinding {
  if (isIchainError(error, "FEDERATED_TASK_FAILED")) return "clean";
  throw error;
}

/**
 * What the replay of one update finds: trains on the rows that its provider was dealt, and compares. Once for a name.
 * `withheld` where the provider of a top-k update shows no residual that fits what it signed.
 * @throws FEDERATED_TASK_FAILED
 */
export async function replayOne(
  context: WorkerContext,
  journal: JobJournal,
  { draft, files, tasks, parts, train }: RoundPlace & { readonly train: Rows },
  {
    name,
    round,
    update: { account, place, path, residuals: show },
    most,
  }: {
    readonly name: string;
    readonly round: number;
    readonly update: ArrivedUpdate & Pick<SignedUpdate, "residuals">;
    /** Share of the values that may differ; a seat's when absent. */
    readonly most?: number;
  },
  options: Abortable,
): Promise<ReplayFinding> {
  const { spec, layout, terms } = draft;
  const { parameters, rounds, local } = spec.federated;
  const vector = readVector(files.model(round), parameters);
  const job = context.market.federatedJobIdOf(terms);
  const facts = { round, rounds, seed: trainingSeed(job, round, account), local };
  const training = { name, model: { layout, vector }, facts, part: rowsFile(train, parts[place]!) };
  const residuals = spec.federated.update === "int8" ? undefined : await show?.(options);
  // Not recorded: another seat may have them later.
  if (spec.federated.update !== "int8" && residuals === undefined) return "withheld";
  try {
    const finding = await journal.step(name, {
      prepare: () => null,
      act: async (): Promise<ReplayFinding> => {
        const { change } = await trainRound(context, journal, tasks, training, options);
        const sent = new Uint8Array(await readFile(path));
        return comesFrom(sent, change, spec.federated, { residuals, most }) ? "clean" : "proven";
      },
    });
    return finding;
  } finally {
    await discardRun(context, journal, name);
  }
}
