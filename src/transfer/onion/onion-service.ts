import type { Reader } from "../../ports/transport.ts";
import { fromHex } from "../../protocol/bytes.ts";
import { base32 } from "./address.ts";
import type { TorControl } from "./control.ts";
import { torGone, torProtocol } from "./errors.ts";

/** What an onion is made of; the same values publish the same onion again. */
export interface OnionService {
  /** 56 characters. */
  readonly address: string;
  /** `ED25519-V3:…` */
  readonly secret: string;
  /** Unix socket that answers for it. */
  readonly socketPath: string;
  /** Whoever may read its descriptor. */
  readonly readers: readonly Pick<Reader, "onionKey">[];
}

/** Streams on one circuit; a lane has a circuit of its own and needs one or two. */
const MAX_STREAMS = 8;
/** Milliseconds after the first directory has the descriptor that the others may still take. */
const STRAGGLERS_MS = 3_000;

/**
 * Publishes the onion and resolves once the directories hold its descriptor. The onion lives as long
 * as the control connection: a tor that is ours alone needs no other clean-up.
 */
export async function publishOnion(
  control: TorControl,
  service: OnionService,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const events = control.events("HS_DESC", { signal: AbortSignal.any([signal, done.signal]) });
  try {
    const keys = service.readers.map((reader) => `ClientAuthV3=${base32(fromHex(reader.onionKey))}`);
    const port = `Port=80,unix:${service.socketPath}`;
    const flags = `Flags=DiscardPK,V3Auth,MaxStreamsCloseCircuit MaxStreams=${MAX_STREAMS}`;
    const [line] = await control.command(`ADD_ONION ${service.secret} ${flags} ${port} ${keys.join(" ")}`, {
      signal,
    });
    if (line !== `ServiceID=${service.address}`)
      throw torProtocol("the onion has another address than its key");
    await uploaded(events, service.address, done);
  } finally {
    done.abort();
  }
}

/** Takes the onion down; open connections to it end. */
export async function removeOnion(control: TorControl, address: string, signal?: AbortSignal): Promise<void> {
  await control.command(`DEL_ONION ${address}`, { signal });
}

/**
 * Waits until every directory that an upload went to has answered, or the slowest had three seconds more
 * than the fastest: a reader may ask any of them first.
 */
async function uploaded(
  events: ReturnType<typeof TorControl.prototype.events<"HS_DESC">>,
  address: string,
  done: AbortController,
): Promise<void> {
  let [open, stored] = [0, 0];
  let timer: NodeJS.Timeout | undefined;
  try {
    for await (const [event] of events) {
      if (event.address !== address) continue;
      if (event.action === "UPLOAD") open++;
      if (event.action === "UPLOADED" || event.action === "FAILED") open--;
      if (event.action === "UPLOADED" && stored++ === 0)
        timer = setTimeout(() => done.abort(), STRAGGLERS_MS);
      if (stored > 0 && open <= 0) return;
    }
  } catch (error) {
    if (stored > 0 && done.signal.aborted) return;
    throw error;
  } finally {
    clearTimeout(timer);
  }
  throw torGone("it ended while it published an onion");
}
