import { AbiCoder, keccak256 } from "ethers";
import type { Address, Hex } from "../ids.ts";

/** Terms of a data campaign, as `IDataCampaign.Terms`. Sums are in the token's smallest unit. */
export interface CampaignTerms {
  readonly owner: Address;
  /** Zero: the coin. */
  readonly token: Address;
  /** Least deposit for a row. */
  readonly deposit: bigint;
  /** Paid for each accepted row. */
  readonly price: bigint;
  /** Paid from a row's price to whom corrects it. */
  readonly reward: bigint;
  /** Paid with a fix. */
  readonly bond: bigint;
  /** Of each member of a panel. */
  readonly fee: bigint;
  /** Most rows. */
  readonly rows: number;
  /** Rows within one `fixWindow` that double the deposit of the next. */
  readonly capacity: number;
  /** Last second to add rows, Unix time. */
  readonly closesAt: number;
  /** Seconds after it was added in which a row can be fixed. */
  readonly fixWindow: number;
  /** Seconds to judge, to appeal, to draw, to commit and to reveal, each. */
  readonly stepWindow: number;
  /** Parts of the hidden test set, at most 32; 0: there is none. */
  readonly slices: number;
  readonly specHash: Hex;
  /** See `exam.ts`; zero without any slice. */
  readonly examRoot: Hex;
}

/** One fix: of which entry and row, and the how manyth of that row, all from zero. */
export interface FixPlace {
  readonly entry: number;
  readonly row: number;
  readonly fix: number;
}

/** A correction, as `IDataCampaign.Correction` without its proof. */
export interface Correction {
  readonly entry: number;
  readonly row: number;
  /** Digest of the row as it was added; {@link NO_ROW} says that the data has no such row. */
  readonly original: Hex;
  /** Digest of the row that takes its place; {@link NO_ROW} removes it. */
  readonly corrected: Hex;
  readonly salt: Hex;
}

export const NO_ROW = `0x${"0".repeat(64)}` as Hex;

/** Members of a panel. */
export const CAMPAIGN_PANEL = 3;

const TERMS =
  "tuple(address owner, address token, uint96 deposit, uint96 price, uint96 reward, uint96 bond, uint96 fee, " +
  "uint32 rows, uint32 capacity, uint40 closesAt, uint24 fixWindow, uint24 stepWindow, uint8 slices, bytes32 specHash, bytes32 examRoot)";

/** The id of a campaign with these terms, as `DataCampaign.campaignIdOf`. */
export function campaignIdOf(chainId: bigint, contract: Address, terms: CampaignTerms): Hex {
  return hashed(["uint256", "address", TERMS], [chainId, contract, terms]);
}

/** What a fixer commits to before it shows its correction, as `DataCampaign.fixCommitmentOf`. */
export function fixCommitment(campaign: Hex, fixer: Address, correction: Correction): Hex {
  const { entry, row, original, corrected, salt } = correction;
  return hashed(
    ["bytes32", "address", "uint32", "uint32", "bytes32", "bytes32", "bytes32"],
    [campaign, fixer, entry, row, original, corrected, salt],
  );
}

/** What a member of a panel commits to before it shows its vote, as `DataCampaign.voteCommitmentOf`. */
export function voteCommitment(
  campaign: Hex,
  { entry, row, fix }: FixPlace,
  member: Address,
  right: boolean,
  salt: Hex,
): Hex {
  const id = hashed(["bytes32", "uint32", "uint32", "uint32"], [campaign, entry, row, fix]);
  return hashed(["bytes32", "address", "bool", "bytes32"], [id, member, right, salt]);
}

/** A row's leaf in its entry's tree (`treeRoot`, `proofOf`): it names the author, so that no copied root is of use. */
export function rowLeaf(author: Address, row: number, digest: Hex): Hex {
  return keccak256(hashed(["address", "uint32", "bytes32"], [author, row, digest])) as Hex;
}

/** The price of all rows, which {@link CampaignTerms.owner} locks, in the token's smallest unit. */
export function campaignPriceOf({ rows, price }: CampaignTerms): bigint {
  return BigInt(rows) * price;
}

/** The fees of a panel, which an appeal costs, in the token's smallest unit. */
export function campaignFeesOf({ fee }: CampaignTerms): bigint {
  return BigInt(CAMPAIGN_PANEL) * fee;
}

function hashed(types: readonly string[], values: readonly unknown[]): Hex {
  return keccak256(AbiCoder.defaultAbiCoder().encode(types, values)) as Hex;
}
