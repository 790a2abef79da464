import type { CatalogueEntry } from "../entry.ts";

/** Hosting and fetching, over Tor or directly. */
export const transferErrors = {
  DESCRIPTOR_LOST: {
    class: "unavailable",
    retryable: true,
    hint: "ichain publishes it again automatically.",
  },
  HOST_IDENTITY_BAD: {
    class: "config",
    hint: "The journal was edited or belongs to another transport; host under a new identity.",
  },
  HOST_UNREACHABLE: {
    class: "unavailable",
    retryable: true,
    hint: "Try again: ichain hosts at the same address.",
  },
  TOR_GONE: {
    class: "unavailable",
    retryable: true,
    hint: "A tor that was running is restarted automatically; for one that did not start, the message has its last warnings.",
  },
  TOR_MISSING: {
    class: "unavailable",
    hint: "Install it with `apt-get install tor`, or name its path in the configuration.",
  },
  TOR_NO_NETWORK: {
    class: "unavailable",
    retryable: true,
    hint: "Check that this machine may open outgoing connections, then try again.",
  },
  TOR_PROTOCOL: {
    class: "unavailable",
    retryable: true,
    hint: "Check with `ichain doctor` that the tor in use is an unmodified Tor 0.4.8 or later.",
  },
  TOR_REFUSED: {
    class: "unavailable",
    hint: "Check with `ichain doctor` that the tor in use is an unmodified Tor 0.4.8 or later.",
  },
  TOR_TOO_OLD: {
    class: "unavailable",
    hint: "Install Tor 0.4.8 or later: older versions transfer onion traffic several times slower.",
  },
  TRANSFER_BAD_ADDRESS: { class: "untrusted", hint: "Ask the other side for a new locator." },
  TRANSFER_BAD_ANSWER: {
    class: "untrusted",
    hint: "The host does not serve what it announced; do not trust it with this job.",
  },
  TRANSFER_BAD_CAPSULE: {
    class: "internal",
    hint: "Host the blob before its capsules, and put one session key into each capsule.",
  },
  TRANSFER_BLOB_CHANGED: {
    class: "failed",
    hint: "The file was changed after it was packed: pack it again.",
  },
  TRANSFER_CORRUPT_PIECE: {
    class: "untrusted",
    hint: "The host does not serve what it announced; do not trust it with this job.",
  },
  TRANSFER_DISK_FAILED: {
    class: "config",
    retryable: true,
    hint: "Check that the folder exists, is writable and has free space; verified pieces are kept.",
  },
  TRANSFER_FORBIDDEN: {
    class: "refused",
    hint: "The locator is no longer valid for this host; ask the other side for a new one.",
  },
  TRANSFER_NOT_HOSTED: {
    class: "unavailable",
    retryable: true,
    hint: "The host has stopped serving it or does not serve it yet; try again later.",
  },
  TRANSFER_NOT_OUR_ADDRESS: {
    class: "config",
    hint: "Set direct.address in config.yaml to this machine's address on the private network.",
  },
  TRANSFER_OUT_OF_REACH: {
    class: "refused",
    hint: "If the other side is known to be there, list its network in direct.networks of config.yaml.",
  },
  TRANSFER_PORT_TAKEN: {
    class: "unavailable",
    retryable: true,
    hint: "Another process listens there: stop it, or host the parcel under a new identity.",
  },
  TRANSFER_STALLED: {
    class: "unavailable",
    retryable: true,
    hint: "Run the same command again later; verified pieces are kept and not fetched again.",
  },
  TRANSFER_TOO_LARGE: {
    class: "untrusted",
    hint: "The host does not serve what it announced; do not trust it with this job.",
  },
  TRANSFER_TRUNCATED_PIECE: {
    class: "unavailable",
    retryable: true,
    hint: "Run the same command again later; verified pieces are kept and not fetched again.",
  },
  TRANSFER_UNREACHABLE: {
    class: "unavailable",
    retryable: true,
    hint: "Run the same command again later; verified pieces are kept and not fetched again.",
  },
  TRANSFER_WRONG_LEAVES: {
    class: "untrusted",
    hint: "The host does not serve what it announced; do not trust it with this job.",
  },
  TRANSFER_WRONG_TRANSPORT: { class: "config", hint: "Configure the transport that the locator names." },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
