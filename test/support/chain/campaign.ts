import type { CampaignAction } from "../../../src/protocol/campaign/actions.ts";
import {
  type CampaignTerms,
  type Correction,
  campaignIdOf,
  campaignPriceOf,
  type FixPlace,
  fixCommitment,
  NO_ROW,
  rowLeaf,
  voteCommitment,
} from "../../../src/protocol/campaign/terms.ts";
import { proofOf, treeRoot } from "../../../src/protocol/federated/ledger/tree.ts";
import type { Address, Hex } from "../../../src/protocol/ids.ts";
import type { Market } from "./escrow.ts";

/** Of commitments to fixes and votes. */
const SALT = `0x${"5a".repeat(32)}` as Hex;

/** Digest of a row that never was another: the number of its entry and its own. */
const digestOf = (entry: number, row: number): Hex =>
  `0x${entry.toString(16).padStart(32, "0")}${(row + 1).toString(16).padStart(32, "0")}`;

/** One campaign on the EVM: the calls that the actions of its rules stand for, at the seconds that they name. */
export class ChainCampaign {
  readonly id: Hex;
  /** Gas of the newest call that went through, and of the newest commitment to a fix. */
  gas = 0n;
  commitGas = 0n;
  readonly #market: Market;
  readonly #contract: Address;
  readonly #terms: CampaignTerms;
  readonly #leaves: Hex[][] = [];
  /** What each member of a panel committed to, by fix and member. */
  readonly #votes = new Map<string, boolean>();
  #fixes = 0;

  private constructor(market: Market, contract: Address, terms: CampaignTerms) {
    this.#market = market;
    this.#contract = contract;
    this.#terms = terms;
    this.id = campaignIdOf(market.chainId, contract, terms);
  }

  static async open(market: Market, terms: CampaignTerms, at: number): Promise<ChainCampaign> {
    const contract = (await market.campaigns.getAddress()) as Address;
    const campaign = new ChainCampaign(market, contract, terms);
    await campaign.#send(terms.owner, "open", [terms, "0x"], campaignPriceOf(terms), at);
    return campaign;
  }

  /**
   * Makes the call of an action at second `at`, with `payment`; whether it went through. A call that the contract
   * refuses must be refused with an error of its own.
   */
  async do(action: CampaignAction, at: number, payment: bigint): Promise<boolean> {
    if (action.kind === "empanel") for (let i = 0; i < 3; i++) await this.#mine(at);
    const [name, args] = await this.#call(action, at);
    try {
      await this.#send(action.by, name, [this.#terms, ...args], payment, at);
    } catch (error) {
      const data = String((error as { data?: unknown }).data);
      const known = this.#market.campaigns.interface.parseError(data);
      if (known === null) throw error;
      return false;
    }
    if (action.kind === "add") this.#leaves.push(this.#leavesOf(action.by, action.count));
    return true;
  }

  /** The owner publishes a version at second `at`. */
  async publish(
    number: number,
    { without, locator }: { without: Hex; locator: Hex },
    at: number,
  ): Promise<void> {
    const hash = `0x${"ab".repeat(32)}`;
    const version = {
      ...{ number, rows: 1234, asOf: 5678, jobId: hash, rowsDigest: hash, modelDigest: hash },
      score: 812_345_678n,
    };
    await this.#send(this.#terms.owner, "publish", [this.#terms, version, without, locator], 0n, at);
  }

  /** What an account could withdraw, the token's smallest unit. */
  owed(account: Address): Promise<bigint> {
    return this.#market.campaigns.getFunction("owed")(account, this.#terms.token);
  }

  /** The panel of a fix, in the order in which it was drawn. */
  async panelOf(place: FixPlace): Promise<readonly Address[]> {
    const panel = await this.#market.campaigns.getFunction("panelOf")(this.id, place);
    return [...panel.members] as Address[];
  }

  async #call(action: CampaignAction, at: number): Promise<[string, unknown[]]> {
    switch (action.kind) {
      case "add": {
        const root = treeRoot(this.#leavesOf(action.by, action.count));
        return ["add", [root, action.count, 2n ** 128n - 1n, "0x"]];
      }
      case "fix": {
        const correction = this.#correction(action);
        const commitment = fixCommitment(this.id, action.by, correction);
        await this.#send(action.by, "commitFix", [commitment], 0n, at);
        this.commitGas = this.gas;
        const leaves = this.#leaves[action.entry] ?? [];
        return ["fix", [{ ...correction, proof: proofOf(leaves, action.row) }, "0x"]];
      }
      case "judge":
        return ["judge", [action.place, action.right]];
      case "commitVote": {
        this.#votes.set(voteKey(action), action.right);
        const commitment = voteCommitment(this.id, action.place, action.by, action.right, SALT);
        return ["commitVote", [action.place, commitment]];
      }
      case "revealVote":
        return ["revealVote", [action.place, this.#votes.get(voteKey(action)) ?? true, SALT]];
      case "refund":
        return ["refund", [action.entry]];
      case "close":
        return ["close", []];
      default:
        return [action.kind, [action.place]];
    }
  }

  #correction({ entry, row, removes }: Extract<CampaignAction, { kind: "fix" }>): Correction {
    // Another salt each time: the contract keeps a commitment until it is used.
    const salt = `0x${(++this.#fixes).toString(16).padStart(64, "0")}` as Hex;
    const corrected = removes ? NO_ROW : (`0x${"c0".repeat(32)}` as Hex);
    return { entry, row, original: digestOf(entry, row), corrected, salt };
  }

  #leavesOf(author: Address, count: number): Hex[] {
    const entry = this.#leaves.length;
    return Array.from({ length: count }, (_, row) => rowLeaf(author, row, digestOf(entry, row)));
  }

  async #send(from: Address, name: string, args: unknown[], value: bigint, at: number): Promise<void> {
    const data = this.#market.campaigns.interface.encodeFunctionData(name, args);
    await this.#market.rpc("evm_setNextBlockTimestamp", at);
    const tx = { from, to: this.#contract, data, gas: "0x4c4b40", value: `0x${value.toString(16)}` };
    const hash = await this.#market.rpc("eth_sendTransaction", tx);
    const receipt = (await this.#market.rpc("eth_getTransactionReceipt", hash)) as { gasUsed: string };
    this.gas = BigInt(receipt.gasUsed);
  }

  async #mine(at: number): Promise<void> {
    await this.#market.rpc("evm_setNextBlockTimestamp", at);
    await this.#market.rpc("evm_mine");
  }
}

function voteKey({ by, place }: { by: Address; place: FixPlace }): string {
  return `${by}/${place.entry}/${place.row}/${place.fix}`;
}
