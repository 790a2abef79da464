import { concat, hexlify, sha256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import type { Hex } from "../ids.ts";
import { word } from "./records/encoding.ts";

/** What a network trains: its peers exchange models of this form alone. */
export const genesisSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/, "letters, digits, spaces, dots and dashes"),
  /** The model's tensors, names in ascending order. */
  layout: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(256),
        shape: z
          .array(
            z
              .number()
              .int()
              .min(1)
              .max(2 ** 31),
          )
          .max(8),
      }),
    )
    .min(1)
    .max(4096),
});
export type Genesis = z.output<typeof genesisSchema>;

/** What a network trains, by its name and the layout of the model that it begins with. */
export function genesisOf(
  name: string,
  { layout }: { readonly layout: readonly { readonly name: string; readonly shape: readonly number[] }[] },
): Genesis {
  return { name, layout: layout.map((one) => ({ name: one.name, shape: [...one.shape] })) };
}

/**
 * Digest of the network, which is in every block and below every signature: SHA-256 over a domain string, the name, and
 * each tensor's name and shape; texts behind their lengths in bytes, lists behind their lengths, all in four bytes, sizes in
 * eight, big-endian.
 */
export function genesisDigest({ name, layout }: Genesis): Hex {
  return sha256(
    concat([
      toUtf8Bytes("ichain/gossip/genesis/1\0"),
      ...text(name),
      word(layout.length, 4),
      ...layout.flatMap((tensor) => [
        ...text(tensor.name),
        word(tensor.shape.length, 4),
        ...tensor.shape.map((size) => word(size, 8)),
      ]),
    ]),
  ) as Hex;
}

function text(value: string): Hex[] {
  const bytes = toUtf8Bytes(value);
  return [word(bytes.length, 4), hexlify(bytes) as Hex];
}
