import type * as OpenPGP from "openpgp";

/** Loaded when first needed: it takes longer to start than most commands take to run. */
export function openpgp(): Promise<typeof OpenPGP> {
  return import("openpgp");
}

/** Only what RFC 9580 calls current: v6 keys, SEIPDv2, GCM; nothing that inflates. */
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
