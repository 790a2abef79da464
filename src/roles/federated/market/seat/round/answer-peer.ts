import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import {
  figuresCommitment,
  listDigest,
  proposalSchema,
  type RoundFigures,
  type RoundList,
  type RoundProposal,
  roundListSchema,
} from "../../../../../protocol/federated/market/seat-messages.ts";
import type { Hex } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { random32 } from "../../../../shared/random.ts";
import type { Channel } from "../../channel.ts";
import { hearAny } from "../../provider/leads.ts";
import { examineProposal } from "./examine.ts";
import { figuresOf } from "./figures.ts";
import type { Peer, Seat, SeatRound } from "./seat.ts";
import { signRound } from "./strikes.ts";
import { requireAsserted, takeList } from "./take-list.ts";
import type { WorkedOut } from "./work-out.ts";

/** The list that a peer told; undefined where it had proposed already: what this seat found then would say nothing. */
type Told = { readonly list: RoundList | undefined };
/** What this seat found of a list, and the salt of its commitment. */
interface Found {
  readonly figures: RoundFigures;
  readonly salt: Hex;
}

/**
 * A round as another seat leads it: measures and replays what that one lists, commits to what it found, works out what the
 * other then proposes, and signs it.
 */
export async function answerPeer(
  context: WorkerContext,
  journal: JobJournal,
  seat: Seat,
  state: SeatRound,
  peer: Peer,
  options: Abortable,
): Promise<void> {
  const { transport } = context;
  const { job, round, arrivals } = state;
  const { members, hosting } = seat;
  const by = seat.order.indexOf(peer.account);
  const tag = `${round}-${by}`;
  const heard = { accept: (one: RoundList) => one.round === round, feed: (of: Channel) => of.proposals };
  const send = async (message: unknown) => {
    const notice = peer.channel.seal(message);
    await transport.sendNotice({ endpoint: peer.endpoint, root: job.terms.bundleRoot, notice }, options);
    return true;
  };
  const hold = async () => {
    using held = new DisposableStack();
    const slot = held.use(await seat.slots.take(options));
    await slot.hold(state.place.draft.spec.resources, options);
    return held.move();
  };
  const { list } = await journal.step<null, Told>(`listed-${tag}`, {
    prepare: () => null,
    act: async () => {
      const schema = roundListSchema.or(proposalSchema);
      const message = await hearAny(context, [peer], { ...heard, from: 2 * round - 1, schema }, options);
      return { list: "model" in message ? undefined : message };
    },
  });
  const found = list && (await answerList(list));
  const proposal = await journal.step<null, RoundProposal>(`heard-${tag}`, {
    prepare: () => null,
    act: () => hearAny(context, [peer], { ...heard, from: 2 * round, schema: proposalSchema }, options),
  });
  const examined = await journal.step<null, WorkedOut>(`examined-${tag}`, {
    prepare: () => null,
    act: async () => {
      using _slot = await hold();
      const request = { by, proposer: peer, list, proposal, arrivals, members, hosting };
      return await examineProposal(context, journal, state, request, options);
    },
  });
  if (found === undefined) return;
  await journal.step(`approved-${tag}`, {
    prepare: () => null,
    act: () => {
      const signed = signRound(context, job, examined.closed.closing, proposal);
      return send({ approved: { round, ...signed, ...found } });
    },
  });

  async function answerList(list: RoundList): Promise<Found> {
    const made = await journal.step<null, Found>(`figures-${tag}`, {
      prepare: () => null,
      act: async () => {
        const taken = { by, from: peer, list, arrivals, members, hosting };
        const updates = await takeList(context, journal, state, taken, options);
        await requireAsserted(context, state, { list, arrivals }, options);
        using _slot = await hold();
        const figures = await figuresOf(context, journal, state, { by, updates }, options);
        return { figures, salt: random32() };
      },
    });
    const digest = listDigest(job.id, peer.account, list);
    const commitment = figuresCommitment(digest, context.account, made.figures, made.salt);
    await journal.step(`committed-${tag}`, {
      prepare: () => null,
      act: () => send({ committed: { round, list: digest, commitment } }),
    });
    return made;
  }
}
