import type { CatalogueEntry } from "../entry.ts";

/** Why a provider, a validator or the requester's own check refuses a job's terms. */
export const refusalsErrors = {
  BOND_TOO_HIGH: {
    class: "usage",
    hint: "Pay more, or lower validatorFee: an appeal must not cost more than the price.",
  },
  CHECKPOINT_NOT_ALLOWED: {
    class: "refused",
    hint: "Lower resources.checkpoint in job.yaml, or choose a provider whose policy allows it (maxCheckpoint).",
  },
  COMMAND_INVALID: {
    class: "usage",
    hint: "Correct command in job.yaml: it needs a first word, at most 64 KiB, and no NUL.",
  },
  CPUS_TOO_FEW: { class: "usage", hint: "Raise resources.cpus in job.yaml." },
  CPUS_TOO_MANY: { class: "refused", hint: "Lower resources.cpus in job.yaml, or choose a larger provider." },
  DISK_BUDGET: {
    class: "refused",
    retryable: true,
    hint: "Choose another provider, or post the job later: this one has room again when its jobs have ended (disk.limit).",
  },
  DISK_TOO_LARGE: {
    class: "refused",
    hint: "Lower resources.disk in job.yaml, or choose a larger provider.",
  },
  DISK_TOO_SMALL: { class: "usage", hint: "Raise resources.disk in job.yaml." },
  DRAINING: { class: "refused", hint: "Choose another provider: this one is about to stop." },
  EFFORT_TOO_LOW: { class: "refused", hint: "Raise effort in job.yaml, or choose another provider." },
  FEE_TOO_LOW: { class: "refused", hint: "Raise validatorFee in job.yaml, or choose another validator." },
  GAS_ABOVE_SHARE: {
    class: "refused",
    retryable: true,
    hint: "Raise the price, or post the job later, when gas may be cheaper.",
  },
  GAS_PRICE_TOO_HIGH: {
    class: "refused",
    retryable: true,
    hint: "Post the job later, when gas may be cheaper.",
  },
  GPUS_TOO_MANY: {
    class: "refused",
    hint: "Lower resources.gpus in job.yaml, or choose a provider with more.",
  },
  GPU_UNFIT: {
    class: "refused",
    hint: "Ask for less in resources.gpus in job.yaml, or choose a provider with such a GPU.",
  },
  IMAGE_NOT_ALLOWED: { class: "refused", hint: "Choose a provider whose policy allows the image." },
  FEDERATED_DATA_NOT_HERE: {
    class: "refused",
    hint: "Only providers whose policy lists data of the name take part: federated.data in policy.yaml.",
  },
  GOSSIP_POOL_NOT_TAKEN: {
    class: "refused",
    hint: "Only homes with a peer of the network take part, where federated.gossip in their policy.yaml lets them.",
  },
  FEDERATED_NOT_TAKEN: {
    class: "refused",
    hint: "Invite other providers: this one's policy takes no federated jobs.",
  },
  FEDERATED_PRIVACY_TOO_WEAK: {
    class: "refused",
    hint: "Add more noise, clip to a shorter norm, or have fewer rounds: federated.privacy in job.yaml.",
  },
  FEDERATED_TOO_LONG: {
    class: "refused",
    hint: "Lower federated.rounds or what is under federated.windows in job.yaml.",
  },
  MAINTENANCE: {
    class: "refused",
    retryable: true,
    hint: "Post the job again after the maintenance, with a shorter resources.time, or to another provider.",
  },
  MEMORY_TOO_LARGE: {
    class: "refused",
    hint: "Lower resources.memory in job.yaml, or choose a larger provider.",
  },
  MEMORY_TOO_SMALL: { class: "usage", hint: "Raise resources.memory in job.yaml." },
  NOT_POSTED: {
    class: "refused",
    hint: "Nothing to do: the job was cancelled, or reached another state first.",
  },
  PRICE_TOO_LOW: { class: "refused", hint: "Raise the price in job.yaml, or choose another provider." },
  REQUESTER_DENIED: {
    class: "refused",
    hint: "Choose another provider: this one accepts no jobs of this account.",
  },
  REQUESTER_FRUITLESS: {
    class: "refused",
    hint: "Choose another provider, and see to it that your tasks run: too many of this account's jobs came to nothing.",
  },
  REQUESTER_NOT_ALLOWED: {
    class: "refused",
    hint: "Choose another provider: this one accepts jobs of listed accounts only.",
  },
  SECRETS_MISMATCH: {
    class: "refused",
    hint: "Post the job again: its mask or its seeds are not those in its terms.",
  },
  STAKE_ABOVE_PRICE: { class: "usage", hint: "Ask for less stake from the provider, or pay more." },
  STAKE_TOO_HIGH: { class: "refused", hint: "Ask for less stake, or choose another provider or validator." },
  STOP_SHARE_TOO_LOW: {
    class: "refused",
    hint: "Raise stop.floor or stop.cap in job.yaml, or choose another provider.",
  },
  STAKE_TOO_LITTLE: {
    class: "refused",
    hint: "Deposit more stake, or wait until running jobs unlock theirs.",
  },
  TERMS_MISMATCH: { class: "refused", hint: "Post the job again: its terms and its spec must agree." },
  TIME_TOO_LONG: {
    class: "refused",
    hint: "Lower resources.time in job.yaml, or choose a provider that allows longer runs.",
  },
  TIME_TOO_SHORT: { class: "usage", hint: "Raise resources.time in job.yaml." },
  TOKEN_UNKNOWN: {
    class: "usage",
    hint: "Pay in the chain's coin, or in a token that the provider's policy lists under tokens.",
  },
  TOO_LATE: { class: "refused", hint: "Post the job again with a later acceptBy." },
  VALIDATOR_STAKE_TOO_LOW: {
    class: "usage",
    hint: "Ask for more stake from the validators, or lower the price.",
  },
  WINDOW_TOO_LONG: {
    class: "usage",
    hint: "Set the named window to at most the seconds shown, or leave it out of job.yaml.",
  },
  WINDOW_TOO_SHORT: {
    class: "usage",
    hint: "Set the named window to at least the seconds shown, or leave it out of job.yaml.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
