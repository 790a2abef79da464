import type { CatalogueEntry } from "../entry.ts";

/** Public data by content identifiers: files, CAR archives, gateways, nodes. */
export const contentErrors = {
  CONTENT_BLOCK_WRONG: {
    class: "untrusted",
    hint: "Do not use what it came from; another gateway or node, or another copy of the archive, may be right.",
  },
  CONTENT_CID_UNKNOWN: {
    class: "usage",
    hint: "Give a CID of a file: version 1 (or 0), SHA-256, `raw` or `dag-pb`, as `ichain data cid` prints one.",
  },
  CONTENT_IO: {
    class: "unavailable",
    hint: "Check that the file and the home folder can be read and written, and that the disk has room.",
  },
  CONTENT_LISTEN_FAILED: {
    class: "unavailable",
    hint: "Give another address with --listen or --node, or end the process that has the port.",
  },
  CONTENT_MALFORMED: {
    class: "untrusted",
    hint: "Its author made it so: ask for the data as one UnixFS file.",
  },
  CONTENT_MISSING: {
    class: "usage",
    hint: "Bring its blocks into this home first: `ichain data import`, `ichain data fetch`, or `ichain data cid --keep`.",
  },
  CONTENT_TOO_LARGE: {
    class: "untrusted",
    hint: "If you want that much, allow more with --most.",
  },
  CONTENT_UNREACHABLE: {
    class: "unavailable",
    retryable: true,
    hint: "Run the same command again, it goes on where it stopped; or name another gateway or node with --from.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
