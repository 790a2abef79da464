import { existsSync } from "node:fs";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob } from "../../../../ports/transport.ts";
import { decodeUpdate, openUpdate } from "../../../../protocol/federated/codec/update.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { UpdateMessage } from "../../../../protocol/federated/market/messages.ts";
import { updateLengthOf } from "../../../../protocol/federated/market/spec.ts";
import { type Model, readExactModel, writeExactModel } from "../../../../protocol/federated/model-file.ts";
import { sameTraining } from "../../../../protocol/federated/replay.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { encodeAgain } from "../../encode.ts";
import { discardRun } from "../train.ts";
import type { Enlisted } from "./enlist.ts";
import { trainHere } from "./train-here.ts";

/** An update as it is hosted and announced: a step of the journal. */
export interface MadeUpdate {
  readonly blob: Blob;
  readonly message: UpdateMessage;
}

/** Paths of what is kept of a round. */
export function keptInputs(dir: string, round: number) {
  return { model: join(dir, `kept-${round}.exact`), update: join(dir, `kept-${round}.bin`) };
}

/** Keeps what a round was trained from and what came of it, of the last two rounds: what answers a strike. */
export async function keepInputs(
  dir: string,
  { round, model, update }: { readonly round: number; readonly model: Model; readonly update: Uint8Array },
): Promise<void> {
  const files = keptInputs(dir, round);
  await writeFile(files.model, writeExactModel(model));
  await writeFile(files.update, update);
  for (const path of Object.values(keptInputs(dir, round - 2))) await rm(path, { force: true });
}

/**
 * Whether the same training gives the update of `round` again, as a validator's replay must find; undefined where what it
 * was trained from is no longer here. Once for a round.
 */
export async function trainsTheSame(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    round,
    setup,
    enlisted,
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    readonly setup: ProviderSetup;
    readonly enlisted: Enlisted;
  },
  options: Abortable,
): Promise<boolean | undefined> {
  const { dir } = jobFolder(context.jobsDir, "federated-provider", job.id);
  const files = keptInputs(dir, round);
  const { spec } = enlisted;
  if (spec.federated.own !== undefined || !existsSync(files.update) || !existsSync(files.model))
    return undefined;
  const name = `again-${round}`;
  // A folder of its own: another round may be trained meanwhile.
  const input = join(dir, `in-again-${round}`);
  const same = await journal.step(name, {
    prepare: () => null,
    act: async () => {
      if (journal.intent(`run-${name}`) === undefined) {
        await rm(input, { recursive: true, force: true });
        await cp(enlisted.input, input, { recursive: true });
      }
      const model = readExactModel(await readFile(files.model));
      const training = { job, round, setup, enlisted, input, dataDir: undefined, name, model };
      const { change } = await trainHere(context, journal, training, options);
      const { update, privacy } = spec.federated;
      const length = updateLengthOf(spec.federated);
      const valuesOf = (bytes: Uint8Array) => decodeUpdate(openUpdate(bytes, length));
      const again = encodeAgain(change, { update, privacy });
      return sameTraining(valuesOf(await readFile(files.update)), valuesOf(again));
    },
  });
  await discardRun(context, journal, name);
  await rm(input, { recursive: true, force: true });
  return same;
}
