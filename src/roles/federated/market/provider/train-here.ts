import type { Abortable } from "../../../../async/abort.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import { taskSpecOf } from "../../../../protocol/federated/market/spec.ts";
import type { Model } from "../../../../protocol/federated/model-file.ts";
import type { WorkerContext } from "../../../context.ts";
import type { ProviderSetup } from "../../../job/provider/accept.ts";
import { ensureImage } from "../../../task/ensure-image.ts";
import { releaseGpus, reserveGpus } from "../../../task/reserve-gpus.ts";
import { trainingSeed, trainRound } from "../train.ts";
import type { Enlisted } from "./enlist.ts";

/** Trains a round's model on what lies in `input`, once this machine has room for it. */
export async function trainHere(
  context: WorkerContext,
  journal: JobJournal,
  {
    job,
    round,
    setup,
    enlisted: { spec },
    input,
    dataDir,
    name,
    model,
  }: {
    readonly job: FederatedJob;
    readonly round: number;
    readonly setup: ProviderSetup;
    readonly enlisted: Pick<Enlisted, "spec">;
    readonly input: string;
    readonly dataDir: string | undefined;
    /** Of the run. */
    readonly name: string;
    readonly model: Model;
  },
  options: Abortable,
): ReturnType<typeof trainRound> {
  using slot = await setup.slots.take(options);
  await slot.hold(spec.resources, options);
  const imageOf = { spec: taskSpecOf(spec), input, policy: setup.policy };
  const image = await ensureImage(context, journal, imageOf, options);
  const gpus = await reserveGpus(context, journal, spec.resources, options);
  try {
    const place = { spec, image, input, gpus, logBytes: setup.policy.maxLog, dataDir };
    const { rounds, local } = spec.federated;
    const facts = { round, rounds, seed: trainingSeed(job.id, round, context.account), local };
    return await trainRound(context, journal, place, { name, model, facts }, options);
  } finally {
    releaseGpus(context, journal);
  }
}
