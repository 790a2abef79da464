import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type {
  RoundFigures,
  RoundList,
  RoundProposal,
} from "../../../../../protocol/federated/market/seat-messages.ts";
import type { ReplayFinding } from "../../../../../protocol/federated/replay.ts";
import type { Address } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import {
  type ArrivedUpdate,
  findFigures,
  type RoundMeasurements,
  type UpdateMeasurement,
} from "../../requester/round/aggregate.ts";
import { replay, type SignedUpdate } from "./replay.ts";
import { disagree, proposedFiles, type RoundState, withOwnInput } from "./work-out.ts";

/** How far two machines' floats may be apart: in accuracy, and in a gain beside a hundredth of it; millionths. */
const ACCURACY = 5_000;
const GAIN = 2_000;

/** Measures and replays the updates of another seat's list, before anything is known of what that seat found. */
export async function figuresOf(
  context: WorkerContext,
  journal: JobJournal,
  { round, place, memory }: RoundState,
  { by, updates }: { readonly by: number; readonly updates: readonly SignedUpdate[] },
  options: Abortable,
): Promise<RoundFigures> {
  if (updates.length === 0) return { measured: [] };
  const replays = place.draft.file.federated.audit !== "off";
  return await withOwnInput(place, { round, by }, async (own) => {
    const { measured, findings } = await findFigures(
      context,
      journal,
      own,
      {
        ...{ round, updates, memory, tag: `${round}-${by}`, next: proposedFiles(place, round, by) },
        ...(replays && {
          replay: (suspects) => replay(context, journal, own, { round, updates, suspects }, options),
        }),
      },
      options,
    );
    const members = measured.members.map((one) => ({ ...one, audit: findings.get(one.account) }));
    return asFigures(measured.before, members);
  });
}

/** What was measured and replayed, as seats tell each other. */
export function asFigures(
  before: RoundMeasurements["before"] | undefined,
  members: readonly (UpdateMeasurement & { readonly audit?: ReplayFinding | undefined })[],
): RoundFigures {
  return {
    ...(before && { before }),
    measured: members.map(({ accuracy, gains, audit }) => ({
      ...{ accuracy, ...(gains && { gains }), ...(audit && { audit }) },
    })),
  };
}

/** Why what another seat measured is not near what was measured here; undefined where it is. */
export function whyNotNear(
  own: RoundFigures,
  told: RoundFigures,
  updates: RoundList["updates"],
): string | undefined {
  if (told.measured.length !== updates.length || own.measured.length !== updates.length)
    return "it measured other updates than it counts";
  const [one, other] = [own.before, told.before];
  const sameModel =
    one === undefined || other === undefined
      ? one === other
      : Math.abs(other.acc - one.acc) * 1e6 <= ACCURACY;
  if (!sameModel) return "it measured another accuracy of the model";
  const isNear = (a: number, b: number) => Math.abs(a - b) <= GAIN + Math.abs(b) / 100;
  for (const [i, { upload }] of updates.entries()) {
    const [mine, theirs] = [own.measured[i]!, told.measured[i]!];
    const same =
      Math.abs(theirs.accuracy - mine.accuracy) <= ACCURACY &&
      (mine.gains === undefined || theirs.gains === undefined
        ? mine.gains === theirs.gains
        : isNear(theirs.gains.own, mine.gains.own) && isNear(theirs.gains.others, mine.gains.others));
    if (!same) return `it measured something else of the update of ${upload.provider}`;
  }
  return undefined;
}

/**
 * What the proposer measured, once it is seen to be near what was measured here.
 * @throws FEDERATED_DISAGREED
 */
export function agreedMeasurements(measured: RoundMeasurements, proposal: RoundProposal): RoundMeasurements {
  const why = whyNotNear(asFigures(measured.before, measured.members), proposal, proposal.updates);
  if (why !== undefined) throw disagree(why);
  const members = measured.members.map(({ account }, i) => {
    const { accuracy, gains } = proposal.measured[i]!;
    return { account, accuracy, ...(gains && { gains }) };
  });
  return { before: proposal.before!, members };
}

/**
 * What replays found, once it is seen to be what the proposer says. That a provider withheld its residual is taken from the
 * proposer, which could leave the update out altogether.
 * @throws FEDERATED_DISAGREED
 */
export function sameFindings(
  found: ReadonlyMap<Address, ReplayFinding>,
  updates: readonly ArrivedUpdate[],
  { measured }: RoundProposal,
): ReadonlyMap<Address, ReplayFinding> {
  const agreed = new Map(found);
  for (const [i, { account }] of updates.entries()) {
    const [own, told] = [found.get(account), measured[i]!.audit];
    if (own !== undefined && told === "withheld") agreed.set(account, told);
    else if (own !== told) throw disagree(`a replay of ${account} finds something else`);
  }
  return agreed;
}
