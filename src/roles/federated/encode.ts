import { createHash } from "node:crypto";
import { encodeInt8 } from "../../protocol/federated/codec/int8.ts";
import { changeBeside, changeSaid, encodeRest } from "../../protocol/federated/codec/residual.ts";
import { decodeUpdate, openUpdate } from "../../protocol/federated/codec/update.ts";
import type { FederatedFile } from "../../protocol/federated/job-file.ts";
import type { Privacy } from "../../protocol/federated/privacy/rule.ts";
import { sameTraining } from "../../protocol/federated/replay.ts";
import type { Vector } from "../../protocol/federated/vector.ts";
import { withNoise } from "./privacy/noise.ts";

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly residual?: Vector;
}

/** What of a job says how a change becomes an update. */
export interface UpdateRules {
  readonly update: FederatedFile["update"];
  readonly privacy?: Privacy | undefined;
}

/** Encodes a change as the job asks; with top-k, what is not sent is left in a new residual, which the header names. */
export function encode(
  change: Float64Array,
  update: FederatedFile["update"],
  residual?: Vector,
  state?: Uint8Array,
): Encoded {
  if (update === "int8") return { bytes: encodeInt8(change, state ?? new Uint8Array(32)) };
  return encodeRest(change, residual, { keep: keepOf(update), hasher: createHash("sha256"), state });
}

/** A provider's residuals of an update: before it (none: there was none), and after. */
export interface Residuals {
  readonly before: Vector | undefined;
  readonly after: Vector;
}

/**
 * Whether the update `sent` is what a training that gave `change` makes, but for a share `most` of the values: clipped
 * where the job asks, without noise. Of top-k updates the whole change is compared, also what they leave for later: that
 * needs their residuals.
 * @throws UPDATE_INVALID
 */
export function comesFrom(
  sent: Uint8Array,
  change: Float64Array,
  { update, privacy }: UpdateRules,
  {
    residuals,
    most,
  }: { readonly residuals?: Residuals | undefined; readonly most?: number | undefined } = {},
): boolean {
  const made =
    privacy === undefined ? change : withNoise(change, { ...privacy, noise: 0 }, new Uint8Array(32));
  const { length } = change;
  const asCodes = (values: Float64Array) =>
    decodeUpdate(openUpdate(encodeInt8(values, new Uint8Array(32)), length));
  if (update === "int8") return sameTraining(decodeUpdate(openUpdate(sent, length)), asCodes(made), most);
  if (residuals === undefined) return false;
  const said = changeSaid(sent, { keep: keepOf(update), ...residuals });
  if (said === undefined) return false;
  const again = changeBeside(made, residuals.before);
  return sameTraining(asCodes(said.toNumbers()), asCodes(again.toNumbers()), most);
}

/** Of a thousand values, how many an update says. */
function keepOf({ topk }: Exclude<FederatedFile["update"], "int8">): number {
  return Math.round(topk * 1000);
}
