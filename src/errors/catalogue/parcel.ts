import type { CatalogueEntry } from "../entry.ts";

/** Parcels and the keys that seal them. */
export const parcelErrors = {
  KEY_MALFORMED: {
    class: "untrusted",
    hint: "Its owner must publish a key made by ichain; send nothing to this one.",
  },
  KEY_NOT_BOUND: {
    class: "untrusted",
    hint: "Seal nothing to it. If its owner runs an older ichain, a newer one publishes a certificate that names the wallet.",
  },
  KEY_UNUSABLE: { class: "untrusted", hint: "Its owner must publish a key made by `ichain init`." },
  PARCEL_COMPATIBILITY: {
    class: "untrusted",
    hint: "If you agreed on that profile with its author, turn it on; otherwise do not use the parcel.",
  },
  PARCEL_CORRUPT: {
    class: "untrusted",
    hint: "Do not use this parcel. Fetch it again; if the error remains, its author made it so.",
  },
  PARCEL_DISK_FULL: {
    class: "unavailable",
    retryable: true,
    hint: "Free some space or choose another disk, then run the same command again.",
  },
  KEPT_MISMATCH: {
    class: "untrusted",
    hint: "Do not run this job: its requester's client would not make it so.",
  },
  PARCEL_INPUT_CHANGED: {
    class: "usage",
    retryable: true,
    hint: "Wait until no program writes to it, then pack again.",
  },
  PARCEL_INPUT_MISSING: {
    class: "usage",
    hint: "Check that the file exists below the folder and that you have permission to read it.",
  },
  PARCEL_INPUT_TOO_LARGE: {
    class: "usage",
    hint: "Pack fewer files, or put many small ones into an archive first.",
  },
  PARCEL_IO: {
    class: "unavailable",
    hint: "Check that the folder exists and is writable, and that the disk has no errors.",
  },
  PARCEL_MALFORMED: {
    class: "untrusted",
    hint: "Do not use this parcel. Fetch it again; if the error remains, its author made it so.",
  },
  PARCEL_TARGET_OCCUPIED: { class: "usage", hint: "Name a folder that does not exist yet." },
  PARCEL_TOO_LARGE: {
    class: "untrusted",
    hint: "Do not use this parcel. Fetch it again; if the error remains, its author made it so.",
  },
  PARCEL_UNSAFE_PATH: {
    class: "untrusted",
    hint: "Do not use this parcel: paths in an honest one are relative, with plain names in Unicode form C.",
  },
  PARCEL_UNSUPPORTED_FILE: {
    class: "usage",
    hint: "Replace it by a copy of the file, or leave it out of the paths to pack.",
  },
  PARCEL_UNTRUSTED: {
    class: "untrusted",
    hint: "Do not use this parcel. Fetch it again; if the error remains, its author made it so.",
  },
  SEAL_NOT_FOR_US: {
    class: "untrusted",
    hint: "Check that you use the account and keyring that it was sent to; if so, its sender sealed it to another key.",
  },
  SEAL_TOO_LONG: { class: "usage", hint: "Put long content into a parcel." },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
