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
  MODEL_INVALID: {
    class: "untrusted",
    hint: "A model is a safetensors file of F32 tensors with finite values.",
  },
  TRIAL_INVALID: {
    class: "config",
    hint: "Correct the named field; docs/federated.md shows a whole file.",
  },
  UPDATE_INVALID: {
    class: "untrusted",
    hint: "It weighs nothing in this round; its provider must send what the codec writes.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
