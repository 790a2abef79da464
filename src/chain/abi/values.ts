import { getAddress, type ParamType, type Result } from "ethers";
import type { Address } from "../../protocol/ids.ts";

/** Decoded values by name, as those of an ethers `Result`: amounts are bigint, bytes lower-case 0x-hex. */
export type Values = ReturnType<Result["toObject"]>;

/** Reads one value whose head is at byte `at` of `data`; offsets count from byte `base`. */
type Read = (data: Buffer, at: number, base: number) => unknown;

interface Coder {
  /** Bytes of its head. */
  readonly size: number;
  readonly dynamic: boolean;
  readonly read: Read;
}

const WORD = 32;
/** Accounts that are remembered with their checksum, each of which costs a hash. */
const MAX_ADDRESSES = 10_000;
const addresses = new Map<string, Address>();

/**
 * Reads values of these types as Solidity encodes them (docs.soliditylang.org, "Contract ABI Specification"). ethers makes
 * its coders again for every value, which takes five times as long. Arrays are not among what it reads.
 * @throws RangeError from the reader, for an encoding that is cut off or that Solidity does not make
 */
export function valuesReader(params: readonly ParamType[]): (data: Buffer) => Values {
  const read = tupleOf(params);
  return (data) => read(data, 0, 0);
}

function tupleOf(params: readonly ParamType[]): (data: Buffer, at: number, base: number) => Values {
  const parts: { name: string; at: number; read: Read }[] = [];
  let size = 0;
  for (const param of params) {
    const coder = coderOf(param);
    parts.push({ name: param.name, at: size, read: inPlace(coder) });
    size += coder.size;
  }
  return (data, at) => {
    const values: Values = {};
    for (const part of parts) values[part.name] = part.read(data, at + part.at, at);
    return values;
  };
}

/** The head of a dynamic value is its offset. */
function inPlace({ dynamic, read }: Coder): Read {
  if (!dynamic) return read;
  return (data, at, base) => {
    const start = base + lengthAt(data, at);
    return read(data, start, start);
  };
}

function coderOf(param: ParamType): Coder {
  const { baseType, components } = param;
  if (baseType === "tuple" && components !== null) {
    const sizes = components.map(coderOf);
    const dynamic = sizes.some((one) => one.dynamic);
    const size = dynamic ? WORD : sizes.reduce((sum, one) => sum + one.size, 0);
    return { size, dynamic, read: tupleOf(components) };
  }
  if (baseType === "bytes") return { size: WORD, dynamic: true, read: bytesAt };
  return { size: WORD, dynamic: false, read: wordReader(baseType) };
}

function wordReader(type: string): Read {
  if (type === "address") return addressAt;
  if (type === "bool") return (data, at) => numberAt(data, at, 1) === 1n;
  const bits = /^u?int(\d+)$/.exec(type)?.[1];
  if (bits !== undefined)
    return type.startsWith("u")
      ? (data, at) => numberAt(data, at, Number(bits))
      : (data, at) => signedAt(data, at, Number(bits));
  const bytes = /^bytes(\d+)$/.exec(type)?.[1];
  if (bytes === undefined) throw new RangeError(`values of type ${type} are not read`);
  return (data, at) => fixedAt(data, at, Number(bytes));
}

function word(data: Buffer, at: number): string {
  if (at + WORD > data.length) throw new RangeError("the encoding is cut off");
  return data.toString("hex", at, at + WORD);
}

function numberAt(data: Buffer, at: number, bits: number): bigint {
  const value = BigInt(`0x${word(data, at)}`);
  if (value >> BigInt(bits) !== 0n) throw new RangeError("a number is too large for its type");
  return value;
}

function signedAt(data: Buffer, at: number, bits: number): bigint {
  const whole = BigInt.asIntN(256, numberAt(data, at, 256));
  if (BigInt.asIntN(bits, whole) !== whole) throw new RangeError("a number is too large for its type");
  return whole;
}

function fixedAt(data: Buffer, at: number, bytes: number): string {
  const hex = word(data, at);
  if (!/^0*$/.test(hex.slice(2 * bytes))) throw new RangeError("padding is not zero");
  return `0x${hex.slice(0, 2 * bytes)}`;
}

function addressAt(data: Buffer, at: number): Address {
  const hex = word(data, at);
  const known = addresses.get(hex);
  if (known !== undefined) return known;
  if (!hex.startsWith("0".repeat(24))) throw new RangeError("an address is too long");
  const address = getAddress(`0x${hex.slice(24)}`) as Address;
  if (addresses.size >= MAX_ADDRESSES) addresses.clear();
  addresses.set(hex, address);
  return address;
}

function bytesAt(data: Buffer, at: number): string {
  const [from, length] = [at + WORD, lengthAt(data, at)];
  if (from + length > data.length) throw new RangeError("the encoding is cut off");
  return `0x${data.toString("hex", from, from + length)}`;
}

/** An offset or a length, at most that of the encoding. */
function lengthAt(data: Buffer, at: number): number {
  const value = numberAt(data, at, 48);
  if (value > data.length) throw new RangeError("an offset or a length is beyond the end");
  return Number(value);
}
