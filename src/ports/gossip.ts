import type { Genesis } from "../protocol/gossip/genesis.ts";
import type { Kept, PeerState } from "../protocol/gossip/peer/state.ts";

/** What a gossip peer keeps on its disk: its state, and its chain. */
export interface PeerStore extends Disposable {
  readonly genesis: Genesis;
  /** As it was kept last. @throws GOSSIP_STORE_DAMAGED */
  state(): PeerState;
  /** On disk, all of it, when this returns: a peer sends only then. */
  keep(kept: readonly Kept[]): void;
  /** Finished blocks as they are in a chain's file, first to last; not checked. */
  blocks(): Iterable<string>;
}
