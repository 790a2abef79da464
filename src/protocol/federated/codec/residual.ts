import { fromHex } from "../../bytes.ts";
import { type Hasher, stateDigest } from "../digest.ts";
import { saturate, Vector } from "../vector.ts";
import { decodeHeader, encodeHeader } from "./header.ts";
import { encodeTopk } from "./topk.ts";
import { decodeUpdate, openUpdate } from "./update.ts";

/** An update of the largest values alone, and what it leaves unsaid: the residual that the next one begins with. */
export interface Rest {
  readonly bytes: Uint8Array;
  readonly residual: Vector;
}

/**
 * Encodes `change` and what the last update left unsaid (`before`; none: nothing) as top-k, in whole units of 2^-24, so
 * that every machine finds the same. Unless `state` takes its place, the header has the digest of what is left: so the
 * provider's signature below the update is one below its residual.
 * @throws UPDATE_INVALID for a value that is no finite number
 */
export function encodeRest(
  change: ArrayLike<number>,
  before: Vector | undefined,
  {
    keep,
    hasher,
    state,
  }: {
    /** Of a thousand values, how many are sent. */
    readonly keep: number;
    readonly hasher: Hasher;
    /** In the header instead of the digest. */
    readonly state?: Uint8Array | undefined;
  },
): Rest {
  const rest = withBefore(Vector.fromNumbers(change), before).toNumbers();
  for (let i = 0; i < change.length; i++) if (!Number.isFinite(change[i]!)) rest[i] = Number.NaN;
  const bytes = encodeTopk(rest, keep, new Uint8Array(32));
  const residual = Vector.fromNumbers(rest);
  bytes.set(
    encodeHeader({ kind: "topk", keep, length: rest.length, state: state ?? stateOf(residual, hasher) }),
  );
  return { bytes, residual };
}

/** Whether the header of the update `bytes` names `residual` as what it leaves unsaid. */
export function leaves(bytes: Uint8Array, residual: Vector, hasher: Hasher): boolean {
  const { state } = decodeHeader(bytes);
  return stateOf(residual, hasher).every((byte, i) => byte === state[i]);
}

/**
 * The change that was trained by an update's own account: what it says and what it leaves (`after`), less what was left
 * before. Undefined where no encoder that keeps `keep` gives such an update: the largest values are not what it says.
 * @throws UPDATE_INVALID
 */
export function changeSaid(
  bytes: Uint8Array,
  {
    keep,
    before,
    after,
  }: { readonly keep: number; readonly before: Vector | undefined; readonly after: Vector },
): Vector | undefined {
  const { length } = after;
  const header = decodeHeader(bytes);
  const whole = Vector.fromNumbers(decodeUpdate(openUpdate(bytes, length)));
  if (header.kind !== "topk" || header.keep !== keep) return undefined;
  for (let i = 0; i < length; i++) whole.units[i]! += after.units[i]!;
  const rest = whole.toNumbers();
  const again = encodeTopk(rest, keep, header.state);
  if (!again.every((byte, i) => byte === bytes[i])) return undefined;
  if (!Vector.fromNumbers(rest).units.every((units, i) => units === after.units[i])) return undefined;
  return less(whole, before);
}

/** A change as it counts beside `before`: what a residual cannot hold is cut off. */
export function changeBeside(change: ArrayLike<number>, before: Vector | undefined): Vector {
  return less(withBefore(Vector.fromNumbers(change), before), before);
}

function withBefore(change: Vector, before: Vector | undefined): Vector {
  for (let i = 0; i < change.length; i++)
    change.units[i] = saturate(change.units[i]! + (before?.units[i] ?? 0));
  return change;
}

function less(whole: Vector, before: Vector | undefined): Vector {
  for (let i = 0; i < whole.length; i++) whole.units[i]! -= before?.units[i] ?? 0;
  return whole;
}

function stateOf(residual: Vector, hasher: Hasher): Uint8Array {
  return fromHex(stateDigest(hasher, residual));
}
