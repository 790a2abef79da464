import { z } from "zod";
import type { Hex } from "../ids.ts";
import { MAX_FILES, MAX_PARCEL_BYTES, MAX_PATH_BYTES } from "../limits.ts";

const asHex = (text: string) => text as Hex;
const hex32 = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform(asHex);

/** The signed, encrypted table of contents of a parcel. Paths are checked further by `checkPath`. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  /** Public keys of the account that packed it; answers are sealed to them. */
  author: z.strictObject({
    openpgpKey: z
      .string()
      .max(8192)
      .regex(/^0x(?:[0-9a-f]{2})+$/)
      .transform(asHex),
    fingerprint: hex32,
    onionKey: hex32,
  }),
  files: z
    .array(
      z.strictObject({
        path: z.string().min(1).max(MAX_PATH_BYTES),
        size: z.number().int().nonnegative().max(MAX_PARCEL_BYTES),
        /** SHA-256 of the content. */
        hash: hex32,
        executable: z.boolean(),
      }),
    )
    .max(MAX_FILES),
  /** Bytes of all files together. */
  totalBytes: z.number().int().nonnegative().max(MAX_PARCEL_BYTES),
  /** SHA-256 over paths, sizes and hashes: the digest that measurements compare. */
  digest: hex32,
  /** Merkle root over the ciphertext that precedes the manifest. */
  ciphertextRoot: hex32,
  note: z.unknown().optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
