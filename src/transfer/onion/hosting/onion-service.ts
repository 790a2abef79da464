import { linkSignals } from "../../../async/abort.ts";
import { fromHex } from "../../../protocol/bytes.ts";
import type { Hex } from "../../../protocol/ids.ts";
import { base32 } from "../address.ts";
import type { TorControl } from "../control/control.ts";
import type { DescriptorEvent } from "../control/events.ts";
import { onionUnreachable, torGone, torProtocol } from "../errors.ts";

/** Everything that defines an onion: the same values publish the same onion again. */
export interface OnionService {
  /** 56 characters. */
  readonly address: string;
  /** `ED25519-V3:…` */
  readonly secret: string;
  /** Unix socket that serves it. */
  readonly socketPath: string;
  /** x25519 public keys of the clients that may decrypt its descriptor (rend-spec-v3, section 2.5.1.2), 32 bytes each. */
  readonly clientKeys: readonly Hex[];
}

/** Streams on one circuit at most; a lane has a circuit of its own and needs one or two. */
const MAX_STREAMS = 8;
/** Milliseconds that the other directories get once the first has the descriptor. */
const LATE_UPLOADS_MS = 3_000;

/** Milliseconds that publishing may take. */
const PUBLISH_MS = 90_000;

/**
 * Publishes the onion (`ADD_ONION`; control-spec, section 3.27) and resolves once the directories have its descriptor.
 * The onion ends with the control connection, so that a crash leaves nothing to clean up.
 * @throws HOST_UNREACHABLE when no directory takes the descriptor; TOR_REFUSED, TOR_GONE, TOR_PROTOCOL; the signal's
 *   reason
 */
export async function publishOnion(
  control: TorControl,
  service: OnionService,
  signal: AbortSignal,
): Promise<void> {
  using limit = linkSignals([signal], PUBLISH_MS);
  const events = control.events("HS_DESC", { signal: limit.signal });
  try {
    const keys = service.clientKeys.map((key) => `ClientAuthV3=${base32(fromHex(key))}`);
    const port = `Port=80,unix:${service.socketPath}`;
    const flags = `Flags=DiscardPK,V3Auth,MaxStreamsCloseCircuit MaxStreams=${MAX_STREAMS}`;
    const command = `ADD_ONION ${service.secret} ${flags} ${port} ${keys.join(" ")}`;
    const [line] = await control.command(command, { signal });
    if (line !== `ServiceID=${service.address}`)
      throw torProtocol("the onion has another address than its key");
    await uploaded(events, service.address);
  } catch (error) {
    signal.throwIfAborted();
    throw limit.signal.aborted ? onionUnreachable(error) : error;
  } finally {
    await events.return?.();
  }
}

/**
 * Takes the onion down (`DEL_ONION`): no new connection reaches it, open ones continue on their circuits.
 * @throws TOR_REFUSED when it is not published; TOR_GONE; the signal's reason
 */
export async function removeOnion(control: TorControl, address: string, signal?: AbortSignal): Promise<void> {
  await control.command(`DEL_ONION ${address}`, { signal });
}

/**
 * Waits until every directory that got an upload has answered, but no longer than `LATE_UPLOADS_MS` after the first
 * success: a reader may ask any of them first.
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
        timer = setTimeout(() => enough.resolve(undefined), LATE_UPLOADS_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}
