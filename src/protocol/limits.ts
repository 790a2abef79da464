/** Bytes of ciphertext that one Merkle leaf covers; the last piece of a blob may be shorter. */
export const PIECE_BYTES = 1 << 18;
