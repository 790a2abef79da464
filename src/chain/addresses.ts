import type { Address } from "../protocol/ids.ts";

/** Where the market's contracts live on one chain. */
export interface Addresses {
  readonly escrow: Address;
  readonly registry: Address;
  readonly rating: Address;
  /** Of the escrow of federated jobs; a market from before it has none. */
  readonly federated?: Address | undefined;
  /** Of the data campaigns; a market from before them has none. */
  readonly campaigns?: Address | undefined;
  /** Of the improvement markets beside them. */
  readonly improvements?: Address | undefined;
  /** The block that the first of them was deployed in: nothing of the market is older. 0 when unknown. */
  readonly block?: number | undefined;
}
