import { sameAddress } from "../ids.ts";
import { unmetGpus } from "../machine/gpus.ts";
import type { Offer } from "../offer.ts";
import { tierAtLeast } from "../offer.ts";
import { STANDING_UNIT } from "../record.ts";
import { matchesName } from "../task/pulled-image.ts";
import { bundledKind, type JobFile } from "../task/spec.ts";

/** What a job needs of an offer, before its terms exist. */
export type Need = Pick<JobFile, "resources" | "tier" | "image" | "avoid">;

/** Stake that a job can lock for which this account was chosen; the pool's part of a member's stake is for draws. */
export function freeStake({ stake, lockedStake, pooled }: Offer, poolStake: bigint): bigint {
  const free = stake - lockedStake - (pooled ? poolStake : 0n);
  return free > 0n ? free : 0n;
}

/** The digest that a name or digest in `job.yaml` means on this offer's machine. */
export function imageOf(offer: Offer, image: Need["image"]): string | undefined {
  return offer.details.images.find((one) => one.name === image || one.digest === image)?.digest;
}

/** Why this offer cannot provide the job, for people; undefined when it can. */
export function unfitProvider(offer: Offer, need: Need): string | undefined {
  if (!offer.provider) return "is not a provider";
  if ((need.resources.checkpoint ?? 0) > (offer.details.maxCheckpoint ?? 0))
    return "shows no checkpoint so large";
  return unfit(offer, need);
}

/** Why this offer cannot run a job with this image, for people; undefined when it can. */
function unfitImage(offer: Offer, image: Need["image"]): string | undefined {
  if (typeof image !== "string" && "oci" in image) {
    const pulls = offer.details.pulledImages.some((pattern) => matchesName(pattern, image.oci));
    return pulls ? undefined : `pulls no image ${image.oci.split("@")[0]}`;
  }
  const kind = bundledKind(image);
  if (kind !== undefined) {
    return offer.details.bundledImages.includes(kind) ? undefined : `accepts no job with an image as ${kind}`;
  }
  return imageOf(offer, image) === undefined ? `does not hold the image ${String(image)}` : undefined;
}

/** Why this offer cannot validate a job that runs `image`; undefined when it can. */
export function unfitValidator(offer: Offer, need: Need, image: Need["image"]): string | undefined {
  if (!offer.validator) return "is not a validator";
  if (unfitImage(offer, image) !== undefined) return "does not hold the provider's image";
  return unfit(offer, { ...need, image });
}

function unfit(offer: Offer, { resources, tier, image, avoid = [] }: Need): string | undefined {
  const { details } = offer;
  if (offer.banned) return "is banned";
  if (avoid.some((one) => sameAddress(one, offer.account))) return "is one that you avoid";
  const lacks = unfitImage(offer, image);
  if (lacks !== undefined) return lacks;
  if (details.cpus < resources.cpus) return `has ${details.cpus} CPUs, not ${resources.cpus}`;
  if (details.memoryBytes < resources.memory) return "has too little memory";
  if (details.diskBytes < resources.disk) return "has too little disk";
  const unmet = unmetGpus(details.gpus, resources);
  if (unmet !== undefined) return `does not have ${unmet.text}`;
  if (!tierAtLeast(details.tier, tier)) return `isolates by ${details.tier}, not ${tier}`;
  return undefined;
}

/** Validators whose standing is within an eighth of its range of the best count as good. */
const GOOD = STANDING_UNIT / 4n;

/** Of validators, best first, those whose standing is close enough to the best to be chosen by chance. */
export function goodValidators(
  validators: readonly Offer[],
  standingOfSeat: (validator: Offer) => bigint,
): readonly Offer[] {
  const [first] = validators;
  const least = first === undefined ? 0n : standingOfSeat(first) - GOOD;
  return validators.filter((one) => standingOfSeat(one) >= least);
}

/** Best standing first, then the lowest fee, then by account so that the order is stable. */
export function bySeatStanding(
  standingOfSeat: (validator: Offer) => bigint,
  fee: (validator: Offer) => bigint,
): (a: Offer, b: Offer) => number {
  return (a, b) => {
    const [left, right] = [standingOfSeat(a), standingOfSeat(b)];
    if (left !== right) return left > right ? -1 : 1;
    if (fee(a) !== fee(b)) return fee(a) < fee(b) ? -1 : 1;
    return a.account < b.account ? -1 : 1;
  };
}
