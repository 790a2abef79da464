import type { Reader } from "../../../ports/transport.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import { base32 } from "../address.ts";
import type { TorControl } from "../control/control.ts";
import type { DescriptorEvent } from "../control/events.ts";
import { onionUnreachable, torGone, torProtocol } from "../errors.ts";

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

/** Milliseconds after which no directory is going to take the descriptor. */
const PUBLISH_MS = 90_000;

/**
 * Publishes the onion and resolves once the directories hold its descriptor. The onion lives as long
 * as the control connection: a tor that is ours alone needs no other clean-up. Throws
 * `HOST_UNREACHABLE` when no directory takes it.
 */
export async function publishOnion(
  control: TorControl,
  service: OnionService,
  signal: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(PUBLISH_MS);
  const events = control.events("HS_DESC", { signal: AbortSignal.any([signal, late]) });
  try {
    const keys = service.readers.map((reader) => `ClientAuthV3=${base32(fromHex(reader.onionKey))}`);
    const port = `Port=80,unix:${service.socketPath}`;
    const flags = `Flags=DiscardPK,V3Auth,MaxStreamsCloseCircuit MaxStreams=${MAX_STREAMS}`;
    const command = `ADD_ONION ${service.secret} ${flags} ${port} ${keys.join(" ")}`;
    const [line] = await control.command(command, { signal });
    if (line !== `ServiceID=${service.address}`)
      throw torProtocol("the onion has another address than its key");
    await uploaded(events, service.address);
  } catch (error) {
    signal.throwIfAborted();
    throw late.aborted ? onionUnreachable(error) : error;
  } finally {
    await events.return?.();
  }
}

/** Takes the onion down: nobody new gets in; connections that are open go on, on circuits of their own. */
export async function removeOnion(control: TorControl, address: string, signal?: AbortSignal): Promise<void> {
  await control.command(`DEL_ONION ${address}`, { signal });
}

/**
 * Waits until every directory that an upload went to has answered, or the slowest had three seconds more
 * than the fastest: a reader may ask any of them first.
 */
async function uploaded(events: AsyncIterator<[DescriptorEvent]>, address: string): Promise<void> {
  let [open, stored] = [0, 0];
  const enough = Promise.withResolvers<undefined>();
  let timer: NodeJS.Timeout | undefined;
  try {
    while (stored === 0 || open > 0) {
      const next = await Promise.race([events.next(), enough.promise]);
      if (next === undefined) return;
      if (next.done) throw torGone("it ended while it published an onion");
      const [event] = next.value;
      if (event.address !== address) continue;
      if (event.action === "UPLOAD") open++;
      if (event.action === "UPLOADED" || event.action === "FAILED") open--;
      if (event.action === "UPLOADED" && stored++ === 0)
        timer = setTimeout(() => enough.resolve(undefined), STRAGGLERS_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}
