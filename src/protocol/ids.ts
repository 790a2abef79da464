/** 0x-hex, lower case unless said otherwise. */
export type Hex = `0x${string}`;
/** 20 bytes; EIP-55 checksummed where it comes from ethers. */
export type Address = Hex;
/** 32 bytes: keccak256 of chain id, escrow address and terms (`jobIdOf`). */
export type JobId = Hex;

export const ZERO_ADDRESS: Address = "0x0000000000000000000000000000000000000000";

const HEX = /^0x(?:[0-9a-f]{2})*$/i;

/** True for 0x-hex of exactly `bytes` bytes. */
export function isHex(value: unknown, bytes?: number): value is Hex {
  return (
    typeof value === "string" && HEX.test(value) && (bytes === undefined || value.length === 2 + 2 * bytes)
  );
}

export function isAddress(value: unknown): value is Address {
  return isHex(value, 20);
}

export function sameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The first eight digits, as people are shown a job or an account: `3fa9c01b`. */
export function shortId(id: Hex): string {
  return id.slice(2, 10);
}
