import { z } from "zod";
import { amountText, COIN } from "../amounts.ts";
import { type Address, sameAddress } from "../ids.ts";
import type { Job } from "../job/job.ts";
import type { Terms } from "../job/terms.ts";
import { unmetGpus } from "../machine/gpus.ts";
import { type Maintenance, maintenanceSchema, maintenanceWithin } from "../machine/maintenance.ts";
import { ownDataRules } from "../machine/own-data.ts";
import { MAX_PATTERNS, MAX_TOKENS, type OfferDetails, tierAtLeast, tiers } from "../offer.ts";
import { keepRuleSchema } from "../parcel/kept.ts";
import { bytesSchema, coinSchema, durationSchema } from "../quantity.ts";
import { matchesName, namePatternSchema } from "../task/pulled-image.ts";
import type { Spec } from "../task/spec.ts";
import { type ChainFacts, fieldOf, refuseMoney, refuseShares } from "./money.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { refuseLimits } from "./resources.ts";
import { coinTender, floorPrice, type Tender, tokenRuleSchema } from "./tender.ts";
import { type Pace, refuseWindows, windowBounds } from "./windows.ts";

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/);

const share = z.number().min(0).max(1);

/** `policy.yaml`: which jobs a provider or validator accepts; docs/reference/policy.md is made from the descriptions. */
export const policySchema = z.strictObject({
  pricePerHour: coinSchema.prefault("0.01").describe("Least price for an hour of the run window"),
  validationFee: coinSchema.prefault("0.001").describe("Least fee for a validation"),
  maxJobs: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe(
      "Jobs that use the machine at once, as far as its CPUs and memory suffice for what they ask for",
    ),
  maxTime: durationSchema
    .prefault("24h")
    .describe("Longest run of a task; a run window may hold as many runs as the mode needs"),
  minWindow: durationSchema
    .prefault("10m")
    .describe("Least of every other window; a commit window must hold a validator's work in addition"),
  maxWindow: durationSchema.prefault("7d").describe("Most of every other window"),
  slack: durationSchema
    .prefault("5m")
    .describe("What a run window must leave beyond the runs, for packing, hosting and the chain"),
  maxBundle: bytesSchema.prefault("10 GiB").describe("Largest bundle"),
  maxResult: bytesSchema.prefault("10 GiB").describe("Largest `resources.disk`"),
  maxLog: bytesSchema
    .pipe(
      z
        .number()
        .min(4096)
        .max(4 * 2 ** 20),
    )
    .prefault("1 MiB")
    .describe("Kept of the output of one run; 4 KiB to 4 MiB"),
  keep: keepRuleSchema
    .prefault({})
    .describe(
      "Inputs that are held, encrypted, for the next job of the same requester (`inputs[].keep` in job.yaml)",
    ),
  liveLog: bytesSchema
    .prefault("16 KiB")
    .describe("Shown of it to the requester before the result is paid for; `0 B` turns the live log off"),
  maxCheckpoint: bytesSchema
    .prefault("0 B")
    .describe(
      "Largest `resources.checkpoint`: what a requester may have of the work before it is paid for, again and again " +
        "while the task runs. `0 B` takes no job with checkpoints",
    ),
  imageDisk: bytesSchema
    .prefault("20 GiB")
    .describe("Disk for images that ichain brought; beyond it those of past jobs are removed"),
  bundledImages: z
    .strictObject({
      dockerfile: z.boolean().default(false).describe("Whether to accept images as a Dockerfile"),
      archive: z.boolean().default(false).describe("Whether to accept images as a root filesystem"),
      maxBytes: bytesSchema.prefault("4 GiB").describe("Disk for building one image"),
      maxTime: durationSchema.prefault("10m").describe("Time for building one image"),
    })
    .prefault({})
    .describe(
      "Images in a job's bundle. They are built without network, but the steps of a Dockerfile run in the engine's own " +
        "containers, which isolate less than a task's: allow them only to requesters you trust",
    ),
  pulledImages: z
    .strictObject({
      from: z
        .array(namePatternSchema)
        .max(MAX_PATTERNS)
        .default([])
        .describe("Names of images that may be pulled; `*` stands for any part of a name, without `/`"),
      maxBytes: bytesSchema.prefault("20 GiB").describe("Disk that pulling one image may take"),
      maxTime: durationSchema.prefault("30m").describe("Time for pulling one image"),
    })
    .prefault({})
    .describe(
      "Images that a job names in a registry, by digest. Your engine pulls them, from whatever address the registry " +
        "leads it to: name registries that you trust",
    ),
  leastTier: z.enum(tiers).default("runc").describe("Weakest isolation in which tasks may run here"),
  maxStake: coinSchema.prefault("100").describe("Stake at risk in one job, at most"),
  stakePerPrice: z
    .number()
    .min(0)
    .max(1000)
    .default(1)
    .describe("Stake as a provider, at most, as a multiple of the price"),
  tokens: z
    .array(z.union([z.literal("coin"), tokenRuleSchema]))
    .min(1)
    .max(MAX_TOKENS + 1)
    .prefault(["coin"])
    .describe("Accepted means of payment: `coin`, and tokens with what they count as"),
  maxGasPrice: z.number().positive().max(1_000_000).default(500).describe("Gwei for a unit of gas, at most"),
  gasShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("Share of the price that the provider's gas may take, with what the chain charges for data"),
  effort: share
    .default(0)
    .describe(
      "Least `effort` of a job: what work short of the threshold, or a failure that validators confirm, is paid; 0 to 1",
    ),
  stop: z
    .strictObject({
      floor: share.default(0.05).describe("Least `stop.floor` of a job"),
      cap: share.default(0.9).describe("Least `stop.cap` of a job"),
    })
    .prefault({})
    .describe("What a job that its requester stops must pay, as a share of the price; 0 to 1"),
  appeal: z
    .enum(["always", "never"])
    .default("always")
    .describe(
      "Whether rejections are appealed: three drawn validators decide, and the loser pays them; so are strikes in federated jobs, where training again here gives the same update",
    ),
  keepResults: durationSchema
    .prefault("7d")
    .describe("How long a paid result is served to a requester that has not fetched it"),
  maintenance: z
    .array(maintenanceSchema)
    .max(32)
    .default([])
    .describe(
      "Hours of each week in which no job runs here: a job is refused whose run window, or a validator's commit and " +
        "reveal windows, would meet them. Calls of jobs that ran before still fall due in them: let the daemon run, or be " +
        "back within the reveal and claim windows",
    ),
  federated: z
    .strictObject({
      accept: z.boolean().default(true).describe("Whether to take part in federated jobs"),
      maxRounds: z.number().int().min(1).max(10_000).default(1000).describe("Rounds of one, at most"),
      maxTime: durationSchema
        .prefault("30d")
        .describe("The windows of its rounds together, at most: the deposit is locked until it is over"),
      sure: share
        .default(0.9)
        .describe(
          "How sure you are that a panel finds as your machine does. A closing that ignores an asserted update, or underpays it by its own books, is challenged where this share of what a void round brings exceeds the rest of the bond; 0: never",
        ),
      data: ownDataRules,
      gossip: z
        .union([z.enum(["all", "none"]), z.array(z.string().max(64)).max(64)])
        .default("all")
        .describe(
          "Pools of which gossip networks to enlist in, by name, where this home has a peer of them: its chain and models go to the pool's validators",
        ),
    })
    .prefault({})
    .describe(
      "Federated jobs: each round runs the task once, for a part of the round's price. `pricePerHour`, `maxTime`, `maxStake`, " +
        "`maxWindow`, `maxBundle` and `requesters` hold for them too",
    ),
  requesters: z
    .strictObject({
      allow: z.array(address).max(10_000).optional().describe("Only jobs of these accounts are accepted"),
      deny: z.array(address).max(10_000).default([]).describe("Jobs of these accounts are refused"),
      maxFruitless: share
        .default(1)
        .describe(
          "Most of a requester's last 20 accepted jobs, as a share, that providers gave back or that fell short; counts from 5 jobs on",
        ),
    })
    .prefault({})
    .describe("Whose jobs are accepted; all accounts by default"),
});
export type Policy = z.infer<typeof policySchema> & {
  /** The tokens of `tokens`, once their decimals are known; a token that is not here is not accepted. */
  readonly tenders?: readonly Tender[];
};

/** What this policy asks for in `token`; undefined when it does not accept it. */
export function acceptedTender(policy: Policy, token: Address): Tender | undefined {
  if (token === COIN.address) return policy.tokens.includes("coin") ? coinTender(policy) : undefined;
  return policy.tenders?.find((tender) => sameAddress(tender.token, token));
}

/** Checks a job's terms before anything is fetched; undefined when nothing speaks against the job. */
export function refuseTerms(
  policy: Policy,
  terms: Terms,
  role: "provider" | "validator",
  now: number,
  chain: ChainFacts,
): Refusal | undefined {
  const { allow, deny } = policy.requesters;
  if (deny.some((one) => sameAddress(one, terms.requester)))
    return refuse("REQUESTER_DENIED", "its requester is denied");
  if (allow && !allow.some((one) => sameAddress(one, terms.requester))) {
    return refuse("REQUESTER_NOT_ALLOWED", "its requester is not on the list");
  }
  const tender = acceptedTender(policy, terms.token);
  if (tender === undefined)
    return refuse("TOKEN_UNKNOWN", `it pays in ${nameOf(terms.token)}, which the policy does not list`);
  const closed = refuseMaintenance(policy, terms, role, now);
  if (closed) return closed;
  const bounds = windowBounds(policy, chain.pace, terms.mode);
  if (role === "validator") {
    if (terms.validatorFee < tender.validationFee) return feeTooLow(tender);
    if (terms.validatorStake > policy.maxStake) return refuse("STAKE_TOO_HIGH", "it asks for too much stake");
    return refuseWindows(terms.windows, bounds);
  }
  if (terms.acceptBy <= now) return refuse("TOO_LATE", "its time to accept is over");
  const unfit = refuseWindows({ accept: terms.acceptBy - now, ...terms.windows }, bounds);
  if (unfit) return unfit;
  const floor = floorPrice(tender, terms.windows.run);
  if (terms.price < floor) {
    return refuse("PRICE_TOO_LOW", "its price is below the floor", {
      field: fieldOf(tender, "price"),
      value: amountText(floor, tender.decimals),
    });
  }
  if (terms.providerStake > policy.maxStake) return refuse("STAKE_TOO_HIGH", "it asks for too much stake");
  // Check the fee too: an appeal with a fee that no validator accepts gets no panel.
  if (terms.validatorFee < tender.validationFee) return feeTooLow(tender);
  return refuseMoney(terms, policy, tender, chain) ?? refuseShares(terms, policy);
}

/** Refuses a job whose work might not end before maintenance begins; `now`: Unix seconds. */
export function refuseMaintenance(
  { maintenance }: { readonly maintenance: readonly Maintenance[] },
  { windows: { run, commit, reveal } }: Pick<Terms, "windows">,
  role: "provider" | "validator",
  now: number,
): Refusal | undefined {
  const begin = maintenanceWithin(maintenance, now, role === "provider" ? run : commit + reveal);
  if (begin === undefined) return undefined;
  const at = new Date(begin * 1000).toISOString();
  return refuse(
    "MAINTENANCE",
    begin <= now
      ? `the machine's maintenance began at ${at}`
      : `its work might not end before the machine's maintenance begins at ${at}`,
  );
}

/** Jobs of a requester that its record looks back on, and the least that it judges by. */
const RECORD = 20;
const LEAST_RECORD = 5;

/** Refuses a requester too many of whose jobs came to nothing in their providers' hands; `jobs` in any order. */
export function refuseRecord(
  { requesters: { maxFruitless } }: Pick<Policy, "requesters">,
  jobs: readonly Job[],
): Refusal | undefined {
  const ended = jobs.filter(({ state, submission, cause }) => state === "Settled" || submission || cause);
  const last = ended.toSorted((a, b) => b.postedBlock - a.postedBlock).slice(0, RECORD);
  const fruitless = last.filter(({ cause }) => cause === "released" || cause === "unmet").length;
  if (last.length < LEAST_RECORD || fruitless <= maxFruitless * last.length) return undefined;
  return refuse(
    "REQUESTER_FRUITLESS",
    `${fruitless} of its requester's last ${last.length} jobs were given back or fell short`,
  );
}

const nameOf = (token: Address): string => (token === COIN.address ? "the coin" : token);

function feeTooLow(tender: Tender): Refusal {
  const value = amountText(tender.validationFee, tender.decimals);
  const fix = { field: fieldOf(tender, "validatorFee"), value };
  return refuse("FEE_TOO_LOW", "its validation fee is below the floor", fix);
}

/** Checks, once the bundle is here, that the windows hold the work that the spec asks for. */
export function refuseWork(
  policy: Policy,
  terms: Terms,
  { spec, bundleBytes }: { spec: Spec; bundleBytes: number },
  pace: Pace,
): Refusal | undefined {
  const { time, disk } = spec.resources;
  const work = { time, fetchBytes: bundleBytes + disk + (spec.exam?.bytes ?? 0) };
  return refuseWindows(terms.windows, windowBounds(policy, pace, terms.mode, work));
}

/** Checks the spec, once the bundle is here, against policy and machine. */
export function refuseSpec(policy: Policy, spec: Spec, machine: OfferDetails): Refusal | undefined {
  const { resources, image, tier } = spec;
  const impossible = refuseLimits(spec);
  if (impossible) return impossible;
  const unusable = refuseImage(policy, image, machine.images);
  if (unusable) return unusable;
  if (!tierAtLeast(machine.tier, policy.leastTier))
    return refuse("TIER_TOO_WEAK", "isolation here is below the policy's least");
  if (!tierAtLeast(machine.tier, tier)) return refuse("TIER_TOO_WEAK", `it asks for ${tier}`);
  if (resources.cpus > machine.cpus) return refuse("CPUS_TOO_MANY", "it asks for more CPUs than there are");
  if (resources.memory > machine.memoryBytes)
    return refuse("MEMORY_TOO_LARGE", "it asks for more memory than there is");
  if (resources.disk > Math.min(machine.diskBytes, policy.maxResult))
    return refuse("DISK_TOO_LARGE", "it asks for too much disk");
  if ((resources.checkpoint ?? 0) > policy.maxCheckpoint)
    return refuse(
      "CHECKPOINT_NOT_ALLOWED",
      "it asks for checkpoints, or for larger ones than the policy allows",
    );
  const unmet = unmetGpus(machine.gpus, resources);
  if (unmet !== undefined)
    return refuse(unmet.met === 0 ? "GPUS_TOO_MANY" : "GPU_UNFIT", `it asks for ${unmet.text}`);
  if (resources.time > policy.maxTime)
    return refuse("TIME_TOO_LONG", "it asks for more time than the policy allows");
  return undefined;
}

/** Whether the image of a job may be used here. */
export function refuseImage(
  policy: Pick<Policy, "bundledImages" | "pulledImages">,
  image: Spec["image"],
  images: OfferDetails["images"],
): Refusal | undefined {
  if (typeof image === "string")
    return images.some(({ digest }) => digest === image)
      ? undefined
      : refuse("IMAGE_UNKNOWN", "its image is not held here");
  if ("oci" in image) {
    if (policy.pulledImages.from.some((pattern) => matchesName(pattern, image.oci))) return undefined;
    return refuse("IMAGE_NOT_ALLOWED", "the policy pulls no image of this name");
  }
  const kind = "dockerfile" in image ? "dockerfile" : "archive";
  if (policy.bundledImages[kind]) return undefined;
  return refuse("IMAGE_NOT_ALLOWED", `the policy accepts no job with an image as ${kind}`);
}
