import { IchainError } from "../../errors/error.ts";

/** Tor's answer breaks the control protocol. */
export function torProtocol(what: string, cause?: unknown): IchainError {
  return new IchainError("TOR_PROTOCOL", `Tor's control port broke the control protocol: ${what}.`, {
    cause,
  });
}

/** Tor refused a command; `status`: the control port's reply code. */
export function torRefused(command: string, status: number, text: string): IchainError {
  return new IchainError("TOR_REFUSED", `Tor refused ${command}: ${text}.`, { details: { status } });
}

/** The tor process, or the connection to it, is gone. */
export function torGone(detail: string, cause?: unknown): IchainError {
  return new IchainError("TOR_GONE", `The tor process is gone: ${detail}.`, { cause });
}

export function torMissing(binary: string, cause?: unknown): IchainError {
  return new IchainError("TOR_MISSING", `There is no tor program at "${binary}".`, { cause });
}

export function torTooOld(found: string): IchainError {
  return new IchainError("TOR_TOO_OLD", `Tor ${found} is too old.`, { details: { found } });
}

/** Tor started and did not reach its network; `progress`: the last phase that it reported. */
export function torNoNetwork(progress: string, cause?: unknown): IchainError {
  return new IchainError("TOR_NO_NETWORK", `Tor cannot reach its network (${progress}).`, { cause });
}

/** The onion was published but does not answer a fetch. */
export function onionUnreachable(cause: unknown): IchainError {
  return new IchainError("HOST_UNREACHABLE", "The onion was published but does not answer through Tor.", {
    cause,
  });
}

/** No directory that was asked has the onion's descriptor: new readers cannot find it. */
export function descriptorLost(): IchainError {
  return new IchainError("DESCRIPTOR_LOST", "No directory that was asked has the onion's descriptor.");
}
