import { IchainError, isIchainError } from "../../errors/error.ts";
import { decodeHeader, HEADER_BYTES } from "../federated/codec/header.ts";
import { encodeInt8, int8BodyBytes } from "../federated/codec/int8.ts";
import { decodeUpdate, openUpdate } from "../federated/codec/update.ts";
import type { Genesis } from "./genesis.ts";

/** How a peer may pack the models that it shows; without, they travel as safetensors of F32. */
export const modelPackings = ["int8"] as const;
export type ModelPacking = (typeof modelPackings)[number];

/** "ICU1", with which an update begins. */
const BEGIN = [0x49, 0x43, 0x55, 0x31];

/** Weights of a model of this layout. */
export function sizeOf(layout: Genesis["layout"]): number {
  return layout.reduce((sum, { shape }) => sum + shape.reduce((product, one) => product * one, 1), 0);
}

/**
 * A model as it travels packed: its weights, tensors in the layout's order, as an int8 update of a federated job has
 * them, codes of 8 bits with a power-of-two scale for each 256. Weights beyond ±127 saturate.
 */
export function packWeights(weights: ArrayLike<number>): Uint8Array {
  return encodeInt8(weights);
}

/** Bytes of a packed model of so many weights: every one has as many. */
export function packedBytes(weights: number): number {
  return HEADER_BYTES + int8BodyBytes(weights);
}

/** Whether a file begins as a packed model; no safetensors file does, whose header would have 800 MB. */
export function isPacked(file: Uint8Array): boolean {
  return BEGIN.every((byte, at) => file[at] === byte);
}

/**
 * Weights of a packed model, which may be a stranger's. How many is the network's to say: what the file says of itself is
 * compared with that before anything is allocated by it. One model has one packed form. All weights are finite, and F32
 * holds each exactly.
 * @throws MODEL_INVALID
 */
export function unpackWeights(file: Uint8Array, weights: number): Float64Array {
  const bytes = packedBytes(weights);
  if (file.length !== bytes) throw invalid(`it has ${file.length} bytes, and one of this network ${bytes}`);
  try {
    const { kind, state } = decodeHeader(file);
    if (kind !== "int8") throw invalid(`it is packed as ${kind}`);
    if (state.some((byte) => byte !== 0)) throw invalid("it names a state, and models have none");
    return decodeUpdate(openUpdate(file, weights));
  } catch (error) {
    if (!isIchainError(error, "UPDATE_INVALID")) throw error;
    throw invalid(error.message.replace(/^[^:]*: |\.$/g, ""), error);
  }
}

function invalid(why: string, cause?: unknown): IchainError {
  return new IchainError("MODEL_INVALID", `The packed model cannot be used: ${why}.`, { cause });
}
