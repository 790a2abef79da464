import { encodeInt8 } from "../../protocol/federated/codec/int8.ts";
import { encodeTopk } from "../../protocol/federated/codec/topk.ts";
import type { FederatedFile } from "../../protocol/federated/job-file.ts";
import type { Privacy } from "../../protocol/federated/privacy/rule.ts";
import { withNoise } from "./privacy/noise.ts";

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly residual?: Float64Array;
}

/** Encodes a change as the job asks; with top-k, what is not sent is left in a new residual. */
export function encode(
  change: Float64Array,
  update: FederatedFile["update"],
  residual?: Float64Array,
  state: Uint8Array = new Uint8Array(32),
): Encoded {
  if (update === "int8") return { bytes: encodeInt8(change, state) };
  const rest = residual === undefined ? change.slice() : change.map((value, i) => value + residual[i]!);
  return { bytes: encodeTopk(rest, Math.round(update.topk * 1000), state), residual: rest };
}

/** The update of a change as a replay makes it again: clipped where the job asks, without noise. */
export function encodeAgain(
  change: Float64Array,
  { update, privacy }: { readonly update: FederatedFile["update"]; readonly privacy?: Privacy | undefined },
): Uint8Array {
  const sent =
    privacy === undefined ? change : withNoise(change, { ...privacy, noise: 0 }, new Uint8Array(32));
  return encode(sent, update).bytes;
}
