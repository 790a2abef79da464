import type { CatalogueEntry } from "../entry.ts";

/** The chain, its nodes, transactions and deployment. */
export const chainErrors = {
  ARTIFACTS_MISSING: { class: "config", hint: "Build ichain: `npm run build`." },
  CHAIN_MISMATCH: {
    class: "config",
    hint: "Give the RPC URL of a node on that chain, or choose the network that the node is on.",
  },
  CHAIN_NODES_DISAGREE: {
    class: "unavailable",
    retryable: true,
    hint: "One of them is wrong or on a fork; `ichain doctor` shows each. Wait, or add a third node to rpcUrls.",
  },
  CHAIN_REFUSED: {
    class: "refused",
    hint: "Read the node's message above; if it does not fit this call, try another RPC URL.",
  },
  CHAIN_SHIFTED: {
    class: "unavailable",
    retryable: true,
    hint: "Try again: reading continues from the last block that the chain still has.",
  },
  CHAIN_UNAVAILABLE: {
    class: "unavailable",
    retryable: true,
    hint: "Check the RPC URL and the network; `ichain doctor` shows each node. Nothing was lost.",
  },
  CONTRACTS_MISSING: {
    class: "config",
    hint: "Check the network's addresses; a devnet that was restarted has new ones.",
  },
  CONTRACT_REFUSED: {
    class: "refused",
    hint: "Check with `ichain doctor` that the configured contracts are those of this version of ichain.",
  },
  DEPLOY_FAILED: {
    class: "refused",
    hint: "Check that the chain runs the Cancun rules or later, and that the account can pay the gas.",
  },
  DEPLOY_UNVERIFIED: {
    class: "untrusted",
    hint: "Deploy again from this version of ichain, or use the network file of the deployment.",
  },
  FEE_TOO_HIGH: {
    class: "unavailable",
    retryable: true,
    hint: "Wait until gas is cheaper, try another node, or raise fees.maxGwei or fees.timesMedian in config.yaml.",
  },
  BUDGET_TOO_LOW: {
    class: "funds",
    hint: "Raise --budget, lower the price in job.yaml, or take values out of the matrix. Nothing was posted.",
  },
  FUNDS_TOO_LOW: {
    class: "funds",
    hint: "Send coin to it: `ichain wallet balance` shows the account and what it has.",
  },
  JOB_AMBIGUOUS: { class: "usage", hint: "Give a few more digits of the job's id." },
  JOB_UNKNOWN: {
    class: "usage",
    hint: "List the jobs with `ichain jobs`; a new one appears after a few blocks.",
  },
  OFFER_KEYS_UNTRUSTED: {
    class: "untrusted",
    hint: "Seal nothing to them. The RPC node may be lying: try another one, or choose another provider.",
  },
  TX_REVERTED: {
    class: "refused",
    hint: "Another transaction changed the job at the same moment; look at it with `ichain job ID`.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
