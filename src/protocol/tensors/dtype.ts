/**
 * Bits of one element, by dtype: the list of safetensors 0.8, in its order of growing alignment. A file has its tensors
 * in the reverse of this order, so that each begins at a multiple of its element's size.
 */
export const dtypeBits = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type Dtype = keyof typeof dtypeBits;

const order = new Map(Object.keys(dtypeBits).map((dtype, at) => [dtype, at]));

export function isDtype(text: string): text is Dtype {
  return order.has(text);
}

/** Sorts dtypes by alignment, the largest first. */
export function compareDtypes(a: Dtype, b: Dtype): number {
  return order.get(b)! - order.get(a)!;
}

/**
 * Bytes of a tensor's data, or `undefined` where they are no whole number, or a product on the way is above 2^53 - 1.
 */
export function tensorBytes(dtype: Dtype, shape: readonly number[]): number | undefined {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements)) return undefined;
  }
  const bits = elements * dtypeBits[dtype];
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : undefined;
}
