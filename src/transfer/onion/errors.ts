import { IchainError } from "../../errors/error.ts";

/** Tor answered something that the control protocol does not know. */
export function torProtocol(what: string, cause?: unknown): IchainError {
  return new IchainError(`Tor's control port spoke nonsense: ${what}.`, {
    code: "TOR_PROTOCOL",
    class: "unavailable",
    hint: "Check with `ichain doctor` that the tor in use is an unmodified Tor 0.4.8 or later.",
    retryable: true,
    cause,
  });
}

/** Tor refused a command: `code` is the control port's own status. */
export function torRefused(command: string, status: number, text: string): IchainError {
  return new IchainError(`Tor refused ${command}: ${text}.`, {
    code: "TOR_REFUSED",
    class: "unavailable",
    hint: "Check with `ichain doctor` that the tor in use is an unmodified Tor 0.4.8 or later.",
    details: { status },
  });
}

/** The tor process, or the connection to it, is gone. */
export function torGone(detail: string, cause?: unknown): IchainError {
  return new IchainError(`The tor process is gone: ${detail}.`, {
    code: "TOR_GONE",
    class: "unavailable",
    hint: "One that was up is started again by itself; for one that did not start its own words say why.",
    retryable: true,
    cause,
  });
}

export function torMissing(binary: string, cause?: unknown): IchainError {
  return new IchainError(`There is no tor program at "${binary}".`, {
    code: "TOR_MISSING",
    class: "unavailable",
    hint: "Install it with `apt-get install tor`, or name its path in the configuration.",
    cause,
  });
}

export function torTooOld(found: string): IchainError {
  return new IchainError(`Tor ${found} is too old.`, {
    code: "TOR_TOO_OLD",
    class: "unavailable",
    hint: "Install Tor 0.4.8 or later: older ones move onion traffic several times slower.",
    details: { found },
  });
}

/** Tor started and never reached its network. */
export function torNoNetwork(progress: string, cause?: unknown): IchainError {
  return new IchainError(`Tor does not reach its network (${progress}).`, {
    code: "TOR_NO_NETWORK",
    class: "unavailable",
    hint: "Check that this machine may open outgoing connections, then try again.",
    retryable: true,
    cause,
  });
}

/** The onion was published and yet cannot be fetched from. */
export function onionUnreachable(cause: unknown): IchainError {
  return new IchainError("The onion was published but does not answer through Tor.", {
    code: "HOST_UNREACHABLE",
    class: "unavailable",
    hint: "Try again: ichain hosts at the same address.",
    retryable: true,
    cause,
  });
}

/** No directory that was asked gives out the onion's descriptor: who does not know it cannot find it. */
export function descriptorLost(): IchainError {
  return new IchainError("No directory that was asked knows the onion.", {
    code: "DESCRIPTOR_LOST",
    class: "unavailable",
    hint: "ichain publishes it again by itself.",
    retryable: true,
  });
}
