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
  GOSSIP_RULE_INVALID: {
    class: "config",
    hint: "A rule plans a share of at least 0 for its own model and each received one, not all 0, and reputations from 0 to 1 (docs/gossip.md).",
  },
  GOSSIP_SIMULATION_INVALID: {
    class: "config",
    hint: "Correct the named field of sim.yaml; docs/gossip.md shows a whole file.",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;
