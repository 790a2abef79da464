import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Abortable, raceSignal } from "../../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Hosting } from "../../../../ports/transport.ts";
import { modelDigest } from "../../../../protocol/federated/digest.ts";
import { filesOf } from "../../../../protocol/federated/market/file.ts";
import type { FederatedJob } from "../../../../protocol/federated/market/job.ts";
import type { RoundMessage, SeatPlace } from "../../../../protocol/federated/market/messages.ts";
import {
  helloSchema,
  type KitMessage,
  modelMask,
} from "../../../../protocol/federated/market/seat-messages.ts";
import { readExactModel } from "../../../../protocol/federated/model-file.ts";
import type { Address, Hex } from "../../../../protocol/ids.ts";
import { blindKey } from "../../../../protocol/job/exchange.ts";
import { parcelBytes } from "../../../../protocol/limits.ts";
import type { BundleLocator } from "../../../../protocol/parcel/locator.ts";
import type { WorkerContext } from "../../../context.ts";
import { partyOf } from "../../../shared/party.ts";
import { transact } from "../../../shared/transact.ts";
import { writeVector } from "../../aggregation/vector-file.ts";
import { type Channel, channelWith } from "../channel.ts";
import { closedRoundIn } from "../closed-round.ts";
import { invitationsTo } from "../enlist.ts";
import { fetchFromAny, hear, LastToAnswer, type Lead, leadAt } from "../provider/leads.ts";
import { readBounded } from "../read-bounded.ts";
import { unlessRefused } from "../unless-refused.ts";
import { EXACT_FILE } from "../update-parcel.ts";
import { Board } from "./board.ts";
import { type FederatedDraft, rulesOf } from "./draft.ts";
import type { LeadFiles } from "./files.ts";
import type { ClosedRound } from "./round/books.ts";

/** Between two tries to draw the seats: the block whose hash draws may not be mined yet. */
const DRAW_MS = 1_000;
/** How long the others have, once more than half of the seats have the job, milliseconds. */
const GRACE_MS = 60_000;

/** Draws the seats as soon as the chain lets it. */
export async function drawSeats(
  { market }: WorkerContext,
  journal: JobJournal,
  job: FederatedJob,
  { drawSeed }: FederatedDraft,
  options: Abortable,
): Promise<void> {
  for (let now = job; now.state === "Drawing"; now = await market.federatedJob(job.id, options)) {
    const isOver = (await market.now(options)) > now.deadline;
    const call = isOver
      ? ({ kind: "expireFederated", federated: now } as const)
      : ({ kind: "seat", federated: now, seed: drawSeed } as const);
    await unlessRefused(() => transact(market, journal, call, options));
    await delay(DRAW_MS, undefined, options);
  }
}

/** The seats of a job as its requester reaches them. */
export class Seats {
  readonly #context: WorkerContext;
  readonly #journal: JobJournal;
  readonly #draft: FederatedDraft;
  readonly #board = new Board<KitMessage>();
  readonly #channels = new Map<Address, Channel>();
  readonly #known = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();

  constructor(context: WorkerContext, journal: JobJournal, draft: FederatedDraft) {
    this.#context = context;
    this.#journal = journal;
    this.#draft = draft;
  }

  /** Tells the drawn validators of the job, hands each the kit, and resolves with those that serve once they host. */
  async open(
    job: FederatedJob,
    { hosting, files }: { readonly hosting: Hosting; readonly files: LeadFiles },
    options: Abortable,
  ): Promise<readonly SeatPlace[]> {
    const [context, journal, draft] = [this.#context, this.#journal, this.#draft];
    const accounts = job.members.filter(({ seat }) => seat).map(({ account }) => account);
    const kit = await journal.step("kit", {
      prepare: () => files.kit,
      act: async (out) => {
        const paths = filesOf(draft.file.federated);
        const note = rulesOf(draft.file.federated);
        const packed = await context.parcels.pack({ root: draft.folder, paths, out, note }, options);
        return { blob: packed.blob, key: packed.sessionKey };
      },
    });
    await hosting.add(kit.blob);
    for (const account of accounts) {
      const { keys } = await partyOf(context, account, options);
      const channel = await channelWith(context.keyring, keys.onionKey, job.id);
      this.#channels.set(account, channel);
      hosting.addFeed(this.#board.feedOf(account, channel));
      await hosting.admit({ ...keys, token: channel.token(draft.identity.endpoint.token) });
    }
    this.#known.resolve();
    const parcel = { root: kit.blob.root, key: kit.key, bytes: kit.blob.size };
    const message: KitMessage = { kit: parcel, seed: draft.seed, mask: draft.mask };
    this.#board.show(1, () => message);
    if (journal.outcome("invited-seats") === undefined) {
      const locator: BundleLocator = {
        ...{ kind: "bundle", bundle: draft.identity.endpoint, bundleBytes: draft.bundle.size },
        ...{ bundleKey: draft.bundleKey, mask: NOTHING },
      };
      const calls = await invitationsTo(context, job, accounts, locator, options);
      for (const [i, call] of calls.entries())
        await transact(context.market, journal, call, { ...options, name: `invite-seats-${i}` });
      await journal.step("invited-seats", { prepare: () => null, act: () => true });
    }
    const seats = await journal.step("seats", {
      prepare: () => null,
      act: () => this.#gathered(accounts, options),
    });
    this.#board.show(2, () => ({ ...message, peers: [...seats] }));
    return seats;
  }

  /** Takes a seat's word that it hosts, once the seats are known here; of another's notice nothing is kept. */
  async take(notice: Uint8Array, { signal }: Abortable): Promise<void> {
    await raceSignal(this.#known.promise, signal);
    for (const [account, channel] of this.#channels) {
      try {
        const { hello } = channel.open(notice, helloSchema);
        await this.#journal.step(`hello-${account.toLowerCase()}`, {
          prepare: (): SeatPlace => ({ ...hello, account }),
          act: (one) => one,
        });
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
        return;
      } catch (error) {
        if (!isIchainError(error, "FEDERATED_MESSAGE_INVALID")) throw error;
      }
    }
  }

  /** All seats, or more than half of them and those that come within a minute more. */
  async #gathered(accounts: readonly Address[], { signal }: Abortable): Promise<readonly SeatPlace[]> {
    let grace: AbortSignal | undefined;
    for (;;) {
      const { promise } = this.#changed;
      const here = accounts.flatMap(
        (account) => this.#journal.outcome<SeatPlace>(`hello-${account.toLowerCase()}`) ?? [],
      );
      if (here.length === accounts.length || grace?.aborted) return here;
      if (grace === undefined && 2 * here.length > accounts.length) grace = AbortSignal.timeout(GRACE_MS);
      signal.throwIfAborted();
      const until = grace === undefined ? signal : AbortSignal.any([signal, grace]);
      await raceSignal(promise, until).catch(() => undefined);
    }
  }
}

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/**
 * Takes the model and the books of a round that the seats have closed: opens the model with the key that the chain has,
 * and checks both against it.
 */
export async function takeClosedRound(
  context: WorkerContext,
  journal: JobJournal,
  {
    draft,
    files,
    job,
    round,
    seats,
  }: {
    readonly draft: FederatedDraft;
    readonly files: LeadFiles;
    readonly job: FederatedJob;
    readonly round: number;
    readonly seats: readonly SeatPlace[];
  },
  options: Abortable,
): Promise<ClosedRound> {
  const { market, parcels } = context;
  const { closing } = job.closings[round - 1]!;
  const { parameters } = draft.spec.federated;
  const leads: Lead[] = await Promise.all(seats.map((seat) => leadAt(context, job.id, seat, options)));
  return await journal.step(`closing-${round}`, {
    prepare: () => null,
    act: async () => {
      const accept = (one: RoundMessage) =>
        one.round === round + 1 && one.last?.model.root === closing.modelRoot;
      const last = new LastToAnswer();
      const message = await hear(context, leads, { from: round + 1, accept, last }, options);
      const earned = journal.outcome<ClosedRound>(`closing-${round - 1}`)?.earned ?? [];
      const closed = closedRoundIn(message, closing, earned, market.ledgerDomainOf(job.id));
      // Seats serve the last model alone.
      if (round < job.closings.length) return closed;
      const key = blindKey(closing.blindedKey, modelMask(draft.mask, round));
      const path = join(files.rounds, `closed-${round}.parcel`);
      const maxBytes = parcelBytes(8 * parameters + (16 << 20));
      const request = { root: closing.modelRoot, path, maxBytes };
      const blob = await fetchFromAny(context, last.first(leads), request, options);
      const into = `${path}-opened`;
      await rm(into, { recursive: true, force: true });
      await parcels.open({ blob, sessionKey: key, into, limits: { maxBytes, maxFiles: 1 } }, options);
      const model = readExactModel(await readBounded(join(into, EXACT_FILE), 8 * parameters + (16 << 20)));
      await rm(into, { recursive: true, force: true });
      await rm(path, { force: true });
      if (modelDigest(createHash("sha256"), model.layout, model.vector) !== closing.modelDigest)
        throw new IchainError("MODEL_INVALID", "The validators' model is not the one that the chain names.");
      writeVector(files.model(round + 1), model.vector);
      return closed;
    },
  });
}
