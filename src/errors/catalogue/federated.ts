import type { CatalogueEntry } from "../entry.ts";

/** Federated jobs: their files, models and updates. */
export const federatedErrors = {
  DATA_INVALID: {
    class: "config",
    hint: "Give an .npz file with numeric arrays: rows of features, and one label from 0 to 255 for each row.",
  },
  DATA_UNREADABLE: {
    class: "config",
    hint: "Check that the data file exists beside the file that names it, and that this account may read it.",
  },
  DISPUTE_IMPOSSIBLE: {
    class: "refused",
    hint: "`ichain why` with the job's id says where it stands.",
  },
  FEDERATED_DATA_IN_BUNDLE: {
    class: "usage",
    hint: "List only code under `inputs`: rows reach each provider as a part of its own, and the rows that measure stay here.",
  },
  FEDERATED_DISAGREED: {
    class: "untrusted",
    hint: "Nothing is to be done here: the round is closed by what more than half of the validators sign, or another of them proposes.",
  },
  FEDERATED_MESSAGE_INVALID: {
    class: "untrusted",
    hint: "The other party must send what this release writes; its message is passed over.",
  },
  FEDERATED_MODEL_GONE: {
    class: "refused",
    hint: "`federated.keep` in job.yaml says how many rounds' models stay; without --round the last one is given.",
  },
  FEDERATED_ROUND_UNKNOWN: {
    class: "unavailable",
    hint: "Wait: the requester tells of a round once it has made its model.",
    retryable: true,
  },
  FEDERATED_SEAT_EMPTY: {
    class: "refused",
    hint: "The job goes on with its other validators; the stake comes back at its end. Change the policy to take such jobs.",
  },
  FEDERATED_TASK_FAILED: {
    class: "failed",
    hint: "Try the task with `ichain run --local`, or read what it printed in the daemon's log.",
  },
  LEDGER_BROKEN: {
    class: "untrusted",
    hint: "Do not rely on this ledger. Ask its job's lead for another copy, and compare their tips with the chain's.",
  },
  LEDGER_MALFORMED: {
    class: "untrusted",
    hint: "A ledger is JSON lines: a header, then each round's uploads and its aggregation (docs/federated.md).",
  },
  LEDGER_NO_MODEL: {
    class: "usage",
    hint: "Give at least eight digits of a model's digest, as `ichain trace` lists them.",
  },
  LEDGER_OTHER_TIP: {
    class: "untrusted",
    hint: "The ledger is of another job, or incomplete: ask its job's lead for the whole.",
  },
  LEDGER_UNREADABLE: {
    class: "config",
    hint: "Check that the file exists and that this account may read it.",
  },
  MODEL_INVALID: {
    class: "untrusted",
    hint: "A model is a safetensors file of F32 tensors with finite values.",
  },
  OWN_DATA_UNUSABLE: {
    class: "config",
    hint: "Name a folder of plain files that everyone may read under federated.data in policy.yaml; keep it in a private one.",
  },
  PANEL_UNFIT: {
    class: "refused",
    hint: "The others of the panel decide, and the stake comes back. Change the policy to run such tasks.",
  },
  TRIAL_INVALID: {
    class: "config",
    hint: "Correct the named field; docs/federated.md and docs/campaigns.md show whole files.",
  },
  UPDATE_INVALID: {
    class: "untrusted",
    hint: "It weighs nothing in this round; its provider must send what the codec writes.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
