import type { CatalogueEntry } from "../entry.ts";

/** Federated jobs: their files, models and updates. */
export const federatedErrors = {
  MODEL_INVALID: {
    class: "untrusted",
    hint: "A model is a safetensors file of F32 tensors with finite values.",
  },
  UPDATE_INVALID: {
    class: "untrusted",
    hint: "It weighs nothing in this round; its provider must send what the codec writes.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
