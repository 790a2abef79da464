import type { z } from "zod";
import type { Abortable } from "../../../../async/abort.ts";
import { linkSignals } from "../../../../async/abort.ts";
import { retry } from "../../../../async/retry.ts";
import { IchainError, isIchainError } from "../../../../errors/error.ts";
import type { JobJournal } from "../../../../ports/journal.ts";
import type { Blob, FetchRequest, Reader } from "../../../../ports/transport.ts";
import {
  type RoundMessage,
  roundMessageSchema,
  type SeatPlace,
} from "../../../../protocol/federated/market/messages.ts";
import type { Address, Hex, JobId } from "../../../../protocol/ids.ts";
import type { Endpoint } from "../../../../protocol/parcel/locator.ts";
import type { WorkerContext } from "../../../context.ts";
import { partyOf } from "../../../shared/party.ts";
import { type Channel, channelWith } from "../channel.ts";
import { HOST_TOKEN } from "../update-parcel.ts";
import type { Enlisted } from "./enlist.ts";

/** A party that tells of rounds and collects updates: the requester, or each of the seats. */
export interface Lead {
  readonly endpoint: Endpoint;
  readonly channel: Channel;
  readonly onionKey: Hex;
}

/** A seat as another party of the job reaches it. */
export async function leadAt(
  context: WorkerContext,
  job: JobId,
  { account, transport, address }: SeatPlace,
  options: Abortable,
): Promise<Lead & { readonly account: Address }> {
  const { keys } = await partyOf(context, account, options);
  const channel = await channelWith(context.keyring, keys.onionKey, job);
  const endpoint = { transport, address, token: channel.token(HOST_TOKEN) };
  return { account, endpoint, channel, onionKey: keys.onionKey };
}

/** The seats that the requester named in the first round; the requester itself before, and in a job without any. */
export async function leadsOf(
  context: WorkerContext,
  journal: JobJournal,
  job: JobId,
  enlisted: Enlisted,
  options: Abortable,
): Promise<readonly Lead[]> {
  const seats = journal.outcome<RoundMessage>("message-1")?.seats ?? [];
  if (seats.length === 0) return [enlisted];
  return Promise.all(seats.map((seat) => leadAt(context, job, seat, options)));
}

/** How a host with this identity admits a lead. */
export function readerOf({ channel, onionKey }: Pick<Lead, "channel" | "onionKey">): Reader {
  return { fingerprint: channel.feed, onionKey, token: channel.token(HOST_TOKEN) };
}

/** Which of a job's leads answered last: it is up, and is asked first. */
export class LastToAnswer {
  #address: string | undefined;

  note({ endpoint }: Pick<Lead, "endpoint">): void {
    this.#address = endpoint.address;
  }

  /** Whether any has answered since this process began. */
  get isKnown(): boolean {
    return this.#address !== undefined;
  }

  first(leads: readonly Lead[]): readonly Lead[] {
    const isLast = ({ endpoint }: Lead) => endpoint.address === this.#address;
    return leads.toSorted((a, b) => Number(isLast(b)) - Number(isLast(a)));
  }
}

/** The first message from `from` on that one of the leads has and that `accept` lets pass; waits for it. */
export function hear(
  context: Pick<WorkerContext, "transport">,
  leads: readonly Pick<Lead, "endpoint" | "channel">[],
  asked: {
    readonly from: number;
    readonly accept: (message: RoundMessage) => boolean;
    readonly last?: LastToAnswer;
  },
  options: Abortable,
): Promise<RoundMessage> {
  const feed = ({ feed: id }: Channel) => id;
  return hearAny(context, leads, { ...asked, feed, schema: roundMessageSchema }, options);
}

/** The same of any message, in the feed that `feed` names. */
export async function hearAny<Message>(
  { transport }: Pick<WorkerContext, "transport">,
  leads: readonly Pick<Lead, "endpoint" | "channel">[],
  {
    from,
    accept,
    feed,
    schema,
    last,
  }: {
    readonly from: number;
    readonly accept: (message: Message) => boolean;
    /** Is told which lead it was. */
    readonly last?: LastToAnswer;
    readonly feed: (channel: Channel) => Hex;
    readonly schema: z.ZodType<Message>;
  },
  { signal }: Abortable,
): Promise<Message> {
  const heard = new AbortController();
  using own = linkSignals([signal, heard.signal]);
  const ask = async (lead: Pick<Lead, "endpoint" | "channel">) => {
    const { endpoint, channel } = lead;
    const part = await transport.fetchPart({ endpoint, id: feed(channel), from }, own);
    const message = part && channel.open(part, schema);
    if (message !== undefined && accept(message)) {
      if (!heard.signal.aborted) last?.note(lead);
      return message;
    }
    throw new IchainError("FEDERATED_ROUND_UNKNOWN", `The job's lead has not told of round ${from} yet.`);
  };
  const asking = leads.map((lead) =>
    retry(() => ask(lead), {
      signal: own.signal,
      when: (error) => isIchainError(error) && error.retryable,
      firstPauseMs: 200,
      longestPauseMs: 5_000,
      factor: 1.5,
    }),
  );
  try {
    return await Promise.any(asking);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    heard.abort();
    await Promise.allSettled(asking);
  }
}

/** How long a lead that is silent is waited for while there are others, milliseconds. */
const NEXT_MS = 15_000;

/**
 * Fetches from the first of these leads that serves it; the last one's error where none does. A silent one is left soon
 * for the next, which is slower to give up.
 */
export async function fetchFromAny(
  { transport }: Pick<WorkerContext, "transport">,
  leads: readonly Pick<Lead, "endpoint">[],
  request: Omit<FetchRequest, "endpoint">,
  { signal }: Abortable,
): Promise<Blob> {
  for (const [i, { endpoint }] of leads.entries()) {
    const isLast = i === leads.length - 1;
    try {
      return await transport.fetch(
        { endpoint, ...request, ...(!isLast && { quietMs: NEXT_MS }) },
        { signal },
      );
    } catch (error) {
      if (signal.aborted || isLast) throw error;
    }
  }
  throw new IchainError("FEDERATED_ROUND_UNKNOWN", "The job has no lead that could be asked.");
}
