import { type Abortable, linkSignals } from "../../../../async/abort.ts";
import { retryTransient } from "../../../../async/retry.ts";
import { isIchainError } from "../../../../errors/error.ts";
import type { FixQuestion, OwnerNotifier, OwnerProgram } from "../../../../ports/notifier.ts";
import { briefOf } from "../../../../protocol/campaign/brief.ts";
import type { Campaign } from "../../../../protocol/campaign/campaign.ts";
import type { CampaignDue } from "../../../../protocol/campaign/dues.ts";
import { type FixPlace, NO_ROW } from "../../../../protocol/campaign/terms.ts";
import { shortId } from "../../../../protocol/ids.ts";
import type { RoleContext } from "../../../context.ts";
import { retryText } from "../../../shared/note.ts";
import { isReader } from "../private/readers.ts";
import { decodeCorrection } from "../private/seal.ts";
import { keptKey, rowsOf } from "../rows.ts";
import { settleCampaign } from "../settle.ts";
import { isVoting, voteOn } from "./judge.ts";

type Context = RoleContext & {
  readonly notifier: OwnerNotifier;
  /** Says for its owner whether a fix is right; without it the owner votes. */
  readonly judge?: OwnerProgram | undefined;
};

/**
 * What `ichain validate` does in the panels of data campaigns that it is drawn for, until a signal aborts. Whether a row
 * is right is an opinion: it asks its owner's program, and its owner where there is none or that says nothing. A vote that
 * is begun, here or by `ichain data judge`, it shows when the time has come.
 */
export async function sitInCampaigns(
  context: Context,
  { signal, draining }: Abortable & { readonly draining: AbortSignal },
): Promise<void> {
  const { market, account, reporter } = context;
  const stop = new AbortController();
  using own = linkSignals([signal, draining, stop.signal]);
  const warn = (error: Error, pause: number) =>
    reporter.emit({ kind: "warn", text: retryText(error, pause) });
  const asked = new Set<string>();
  const running = new Map<string, Promise<void>>();
  await using _running = {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all(running.values());
    },
  };
  const begin = (key: string, seat: Seat, work: () => Promise<void>) => {
    const done = retryTransient(work, warn, own)
      .catch((error: Error) => {
        if (!own.signal.aborted) tellOwner(context, seat, `this account has not voted: ${error.message}`);
      })
      .finally(() => running.delete(key));
    running.set(key, done);
  };
  try {
    for await (const campaign of market.watchCampaigns({ panel: account }, own)) {
      for (const place of campaign.rules.places()) {
        const { state, votes } = campaign.rules.fixOf(place)!;
        const key = `${campaign.id}/${place.entry}/${place.row}/${place.fix}`;
        if (state !== "Voting" || votes.get(account)?.revealed !== false || running.has(key)) continue;
        const seat = { campaign, place };
        // What it says is recorded: here, or by `ichain data judge`.
        if (isVoting(context, campaign.id, place)) begin(key, seat, () => vote(context, seat, true, own));
        else if (!asked.has(key)) begin(key, seat, () => answer(context, seat, own));
        asked.add(key);
      }
    }
  } catch (error) {
    if (signal.aborted || !draining.aborted) throw error; // else it is drained
  }
}

/** A place in the panel of a fix. */
interface Seat {
  readonly campaign: Campaign;
  readonly place: FixPlace;
}

async function answer(context: Context, seat: Seat, options: Abortable): Promise<void> {
  if (!isReader(context, seat.campaign)) {
    const text = `Drawn for the panel of a fix in campaign ${shortId(seat.campaign.id)}, whose rows this account cannot read: it does not vote, which costs nothing.`;
    context.reporter.emit({ kind: "warn", text });
    return;
  }
  const right = context.judge && (await context.judge(await questionOf(context, seat, options), options));
  if (right === undefined) return tellOwner(context, seat, "it waits for your vote");
  await vote(context, seat, right, options);
}

/** Votes, or goes on with a vote that is begun; then ends the fix where this was the last vote. */
async function vote(context: Context, seat: Seat, right: boolean, options: Abortable): Promise<void> {
  const { campaign, place } = seat;
  await voteOn(context, campaign, { place, right }, options);
  const isHere = (_: Campaign, due: CampaignDue) => due.kind === "take" && isSame(due.place, place);
  await settleCampaign(context, campaign.id, isHere, options);
}

/** The fix as its judge is asked about it; the row itself is left out where its author does not show it. */
async function questionOf(context: Context, seat: Seat, options: Abortable): Promise<FixQuestion> {
  const { campaign, place } = seat;
  const { original, corrected, content } = campaign.amendmentOf(place)!;
  const rows = await rowsOf(context, campaign, place.entry, options).catch((error: unknown) => {
    if (isIchainError(error)) return undefined;
    throw error;
  });
  const key = await keptKey(context, campaign, place.entry);
  return {
    campaign: campaign.id,
    about: briefOf(campaign)?.about,
    ...place,
    original: rows?.[place.row],
    isAbsent: original === NO_ROW,
    // What does not open is no row.
    corrected: corrected === NO_ROW ? undefined : (decodeCorrection(content, key) ?? ""),
    rows: rows?.length,
  };
}

function tellOwner({ notifier, reporter }: Context, { campaign, place }: Seat, why: string): void {
  const where = `${place.entry}/${place.row}/${place.fix}`;
  const id = shortId(campaign.id);
  const text = `Drawn for the panel of fix ${where} of campaign ${id}, ${why}: "ichain data judge ${id} ${where} right --panel", or wrong`;
  reporter.emit({ kind: "warn", text });
  notifier.tell({ event: "needs-you", text });
}

function isSame(a: FixPlace, b: FixPlace): boolean {
  return a.entry === b.entry && a.row === b.row && a.fix === b.fix;
}
