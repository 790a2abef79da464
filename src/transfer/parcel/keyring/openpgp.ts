import type * as OpenPGP from "openpgp";

/** openpgp.js, loaded on first use: loading it takes longer than most commands take to run. */
export function openpgp(): Promise<typeof OpenPGP> {
  return import("openpgp");
}

/** Settings for current RFC 9580 only: v6 keys, SEIPD version 2 with GCM; no compression. */
export function modern(pgp: typeof OpenPGP): OpenPGP.PartialConfig {
  return {
    v6Keys: true,
    aeadProtect: true,
    preferredAEADAlgorithm: pgp.enums.aead.gcm,
    preferredCompressionAlgorithm: pgp.enums.compression.uncompressed,
    maxDecompressedMessageSize: 1 << 16,
    allowUnauthenticatedMessages: false,
    showVersion: false,
    showComment: false,
  };
}
