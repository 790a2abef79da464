import { existsSync } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Abortable } from "../../../../async/abort.ts";
import { IchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { HostedParcel } from "../../../../protocol/federated/market/messages.ts";
import { stateCount } from "../../../../protocol/federated/server/step.ts";
import { strategyOf } from "../../../../protocol/federated/strategies.ts";
import { parcelBytes } from "../../../../protocol/limits.ts";
import type { WorkerContext } from "../../../context.ts";
import { serverStep } from "../../server-step.ts";
import { fetchFromAny, type Lead } from "../provider/leads.ts";
import type { RoundPlace } from "../requester/round/aggregate.ts";
import type { ServedParcel } from "./round/work-out.ts";

type StatePlace = Pick<RoundPlace, "files" | "draft">;

/** Files of the server's states before `round`, momentum for example; none where its step has no state. */
function stateFiles({ files, draft }: StatePlace, round: number): readonly string[] {
  const { federated } = draft.file;
  const count = stateCount(serverStep(federated, strategyOf(federated.strategy)!));
  return Array.from({ length: count }, (_, i) => files.state(round, i));
}

/** The server's states before `round` as a parcel, for a seat that was away; undefined where there are none here. */
export async function packStates(
  { parcels }: Pick<WorkerContext, "parcels">,
  journal: JobJournal,
  place: StatePlace,
  round: number,
  options: Abortable,
): Promise<ServedParcel | undefined> {
  const paths = stateFiles(place, round);
  if (paths.length === 0 || !paths.every((path) => existsSync(path))) return undefined;
  const { rounds } = place.files;
  return await journal.step(`states-${round}`, {
    prepare: () => join(rounds, `states-${round}.parcel`),
    act: async (out) => {
      const names = paths.map((path) => basename(path));
      const { blob, sessionKey } = await parcels.pack({ root: rounds, paths: names, out }, options);
      return { blob, key: sessionKey };
    },
  });
}

/**
 * Takes another seat's states before `round`. They are on no chain: false ones make this seat disagree with every
 * proposal, as none would.
 * @throws FEDERATED_MESSAGE_INVALID
 */
export async function takeStates(
  context: Pick<WorkerContext, "transport" | "parcels">,
  place: StatePlace,
  {
    round,
    parcel,
    from,
  }: {
    readonly round: number;
    readonly parcel: HostedParcel | undefined;
    readonly from: readonly Pick<Lead, "endpoint">[];
  },
  options: Abortable,
): Promise<void> {
  const wanted = stateFiles(place, round);
  if (wanted.length === 0 || parcel === undefined) return;
  const { parameters } = place.draft.spec.federated;
  const maxBytes = parcelBytes(wanted.length * 8 * parameters);
  const into = join(place.files.rounds, `states-${round}-opened`);
  const path = `${into}.parcel`;
  const request = { root: parcel.root, path, maxBytes, size: parcel.bytes };
  const blob = await fetchFromAny(context, from, request, options);
  await rm(into, { recursive: true, force: true });
  const limits = { maxBytes, maxFiles: wanted.length };
  await context.parcels.open({ blob, sessionKey: parcel.key, into, limits }, options);
  for (const file of wanted) {
    const opened = join(into, basename(file));
    const size = (await stat(opened).catch(() => undefined))?.size;
    if (size !== 8 * parameters)
      throw new IchainError(
        "FEDERATED_MESSAGE_INVALID",
        "A validator's states of the server are not as long as the model.",
      );
    await rename(opened, file);
  }
  await rm(into, { recursive: true, force: true });
  await rm(path, { force: true });
}
