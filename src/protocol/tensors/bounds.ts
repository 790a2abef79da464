/** What a reader accepts of a file's header; a caller that knows the model gives less. */
export interface HeaderBounds {
  /** Of the header's JSON. */
  readonly headerBytes: number;
  readonly tensors: number;
  /** Of a tensor's name, in UTF-8. */
  readonly nameBytes: number;
  readonly dimensions: number;
  /** Entries of `__metadata__`. */
  readonly metadata: number;
  /** Of all tensors together. */
  readonly dataBytes: number;
}

export const headerBounds: HeaderBounds = {
  headerBytes: 16 << 20,
  tensors: 100_000,
  nameBytes: 1024,
  dimensions: 32,
  metadata: 1024,
  dataBytes: 2 ** 40,
};
