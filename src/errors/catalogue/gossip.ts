import type { CatalogueEntry } from "../entry.ts";

/** Gossip training: chains, peers' messages, averaging rules, simulations. */
export const gossipErrors = {
  GOSSIP_CHAIN_BROKEN: {
    class: "untrusted",
    hint: "Do not rely on this chain: the named record is not what its author signed, or does not belong there.",
  },
  GOSSIP_CHAIN_MALFORMED: {
    class: "untrusted",
    hint: "A chain is JSON lines, as `ichain gossip export` writes it: a header, then the blocks.",
  },
  GOSSIP_CHAIN_OTHER_TIP: {
    class: "untrusted",
    hint: "The chain is another peer's, or not all of it: ask its peer for the whole.",
  },
  GOSSIP_CHAIN_UNREADABLE: {
    class: "config",
    hint: "Check that the file exists and that this account may read it.",
  },
  GOSSIP_CHAINS_THERE: {
    class: "usage",
    hint: "Name an empty folder, or one that does not exist yet.",
  },
  GOSSIP_EVIDENCE_INVALID: {
    class: "config",
    hint: "Put one chain of each peer there, as *.db or *.chain, and their models into its folder models/ (docs/gossip.md).",
  },
  GOSSIP_MEASURED_INVALID: {
    class: "config",
    hint: "Have all models of the exam folder measured again, and keep what comes out as it is.",
  },
  GOSSIP_MESSAGE_INVALID: {
    class: "untrusted",
    hint: "Nothing: what a neighbour sends wrongly is passed over. Name other neighbours if it goes on.",
  },
  GOSSIP_PEER_INVALID: {
    class: "config",
    hint: "Correct the named field of gossip.yaml; docs/gossip.md shows a whole file.",
  },
  GOSSIP_POOL_INVALID: {
    class: "config",
    hint: "Take the ticket that the pool's requester wrote with `ichain gossip pool`, and the account that it is for.",
  },
  GOSSIP_RULE_INVALID: {
    class: "config",
    hint: "A rule plans a share of at least 0 for its own model and each received one, not all 0, and reputations from 0 to 1 (docs/gossip.md).",
  },
  GOSSIP_RULE_UNKNOWN: {
    class: "usage",
    hint: "Give one of these names, or the path of a module, beginning with ./ or / (docs/gossip.md).",
  },
  GOSSIP_SIMULATION_INVALID: {
    class: "config",
    hint: "Correct the named field of sim.yaml; docs/gossip.md shows a whole file.",
  },
  GOSSIP_STORE_DAMAGED: {
    class: "failed",
    hint: "Keep the file apart, and begin with a new one: blocks of it that `ichain gossip export` still writes hold if `verify` says so.",
  },
  GOSSIP_STORE_OTHER: {
    class: "config",
    hint: "Name the store of a peer of this network, or a folder that has none yet.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
