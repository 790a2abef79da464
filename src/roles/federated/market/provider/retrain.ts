import { existsSync } from "node:fs";
import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { updateLengthOf } from "../../../../protocol/federated/market/spec.ts";
import { readExactModel } from "../../../../protocol/federated/model-file.ts";
import { CONDEMNED_SHARE } from "../../../../protocol/federated/replay.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { jobFolder } from "../../../shared/job-folder.ts";
import { comesFrom } from "../../encode.ts";
import { discardRun } from "../train.ts";
import type { Enlisted } from "./enlist.ts";
import { keptInputs, keptResiduals, type MadeUpdate } from "./made-update.ts";
import { trainHere } from "./train-here.ts";

/**
 * Whether the same training gives the update of `round` again, as a panel's replay must find; undefined where what it
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
  const length = updateLengthOf(spec.federated);
  const carried = journal.outcome<MadeUpdate>(`update-${round}`)?.carried === true;
  const residuals =
    spec.federated.update === "int8" ? undefined : keptResiduals(dir, round, { carried, length });
  if (spec.federated.update !== "int8" && residuals === undefined) return undefined;
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
      const sent = new Uint8Array(await readFile(files.update));
      return comesFrom(sent, change, spec.federated, { residuals, most: CONDEMNED_SHARE });
    },
  });
  await discardRun(context, journal, name);
  await rm(input, { recursive: true, force: true });
  return same;
}
