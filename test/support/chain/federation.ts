import { randomBytes } from "node:crypto";
import type { HDNodeWallet, TypedDataField } from "ethers";
import { toHex } from "../../../src/protocol/bytes.ts";
import { payLeaf, proofOf, treeRoot } from "../../../src/protocol/federated/ledger/tree.ts";
import { type Closed, type Closing, closedHash } from "../../../src/protocol/federated/market/closing.ts";
import {
  admissionTypes,
  closingTypes,
  federatedDomain,
} from "../../../src/protocol/federated/market/signatures.ts";
import {
  type FederatedTerms,
  federatedJobIdOf,
  federatedPriceOf,
  seedHash,
} from "../../../src/protocol/federated/market/terms.ts";
import type { Address, Hex, JobId } from "../../../src/protocol/ids.ts";
import { type Actor, COIN, ETHER, type Market, random32 } from "./escrow.ts";

const HOUR = 3600;
/** Of an invitation: keys, endpoint and tag; and for each reader its wrapped key and its admission. */
const INVITATION_BYTES = 210;
const READER_BYTES = 32 + 65;
/** Readers of one invitation, so that it stays within 4 KiB. */
const READERS = 32;

/** A federated job between actors of a market, and what its parties know of it off the chain. */
export class Federation {
  readonly seed = random32();
  readonly closings: Closed[] = [];
  readonly gas: Record<string, number> = {};
  terms!: FederatedTerms;
  id!: JobId;
  seats: Actor[] = [];
  readonly #market: Market;
  readonly #requester: Actor;
  readonly #providers: readonly Actor[];

  constructor(market: Market, requester: Actor, providers: readonly Actor[]) {
    this.#market = market;
    this.#requester = requester;
    this.#providers = providers;
  }

  async post(change: Partial<FederatedTerms>): Promise<void> {
    const now = await this.#market.now();
    this.terms = {
      ...{
        requester: this.#requester.address,
        token: COIN,
        roundPrice: ETHER / 100n,
        seatFee: ETHER / 1000n,
      },
      ...{ providerStake: ETHER / 10n, seatStake: ETHER / 20n, rounds: 3, least: 1, places: 255, seats: 0 },
      ...{ enlistBy: now + HOUR, roundWindow: HOUR, disputeWindow: HOUR / 2 },
      ...{ specHash: random32(), bundleRoot: random32(), seedHash: seedHash(this.seed) },
      refunds: false,
      ...change,
    };
    this.id = federatedJobIdOf(this.#market.chainId, await this.#address(), this.terms);
    await this.call(
      this.#requester,
      "post",
      [this.terms, `0x${"ab".repeat(300)}`],
      federatedPriceOf(this.terms),
    );
  }

  /** As many invitations as all providers need, as long as those that carry their admissions. */
  async invite(): Promise<void> {
    const addresses = this.#providers.map(({ address }) => address);
    for (let i = 0; i < addresses.length; i += READERS) {
      const readers = addresses.slice(i, i + READERS);
      const sealed = toHex(randomBytes(INVITATION_BYTES + readers.length * READER_BYTES));
      await this.call(this.#requester, "invite", [this.terms, readers, sealed]);
    }
  }

  async enlist(provider: Actor): Promise<void> {
    const admission = await this.sign(this.#requester, admissionTypes, { provider: provider.address });
    await this.call(provider, "enlist", [this.terms, admission]);
  }

  /** Invites and enlists all providers, and draws the seats. */
  async begin(): Promise<void> {
    await this.invite();
    for (const provider of this.#providers) await this.enlist(provider);
    await this.call(this.#requester, "begin", [this.terms]);
    if (this.terms.seats === 0) return;
    for (let i = 0; i < 3; i++) await this.#market.rpc("evm_mine");
    await this.call(this.#requester, "seat", [this.terms, this.seed]);
    const { actors } = this.#market;
    const seated = await Promise.all(
      actors.map(async (actor) => (await this.accountOf(actor)).seat as boolean),
    );
    this.seats = actors.filter((_, i) => seated[i]).sort(byAddress);
  }

  /** Closes the open round, in which every provider earns the same and every seat its fee. */
  async close(): Promise<void> {
    const round = this.closings.length + 1;
    const closing: Closing = {
      ...{ round, updatesRoot: random32(), modelDigest: random32(), modelRoot: random32() },
      ...{ payRoot: treeRoot(this.payLeaves(round)), blindedKey: random32(), ledgerTip: random32() },
    };
    const signers = this.seats.slice(0, Math.floor(this.seats.length / 2) + 1);
    const approvals = await Promise.all(
      signers.map(async (actor) => ({
        seat: actor.address,
        signature: await this.sign(actor, closingTypes, closing),
      })),
    );
    await this.call(this.#requester, "close", [this.terms, closing, approvals]);
    const previous = this.closings.at(-1);
    this.closings.push({
      closing,
      closedAt: await this.#market.now(),
      asserted: 0,
      signers: signers.map(({ address }) => address),
      previous: previous === undefined ? (`0x${"0".repeat(64)}` as Hex) : closedHash(previous),
    });
  }

  /** Claims for all that earn, in one call. */
  async claimAll(): Promise<void> {
    const round = this.closings.length;
    const leaves = this.payLeaves(round);
    const payouts = this.earners().map((actor, i) => ({
      account: actor.address,
      earned: this.#earned(actor, round),
      proof: proofOf(leaves, i),
    }));
    await this.call(this.#requester, "claim", [this.terms, payouts, this.closings.slice(-1)]);
  }

  async releaseAll(): Promise<void> {
    const accounts = this.earners().map(({ address }) => address);
    await this.call(this.#requester, "release", [this.terms, accounts]);
  }

  payLeaves(round: number): Hex[] {
    return this.earners().map((actor) => payLeaf(actor.address, this.#earned(actor, round)));
  }

  async call(actor: Actor, name: string, args: unknown[], value = 0n): Promise<void> {
    const { gasUsed } = await this.#market.send(this.#market.federated, actor, name, args, value);
    this.gas[name] = (this.gas[name] ?? 0) + Number(gasUsed);
  }

  async sign(
    actor: { wallet: HDNodeWallet },
    types: Record<string, TypedDataField[]>,
    value: object,
  ): Promise<Hex> {
    const domain = federatedDomain(this.#market.chainId, await this.#address());
    return (await actor.wallet.signTypedData(domain, types, { job: this.id, ...value })) as Hex;
  }

  accountOf(actor: Actor): Promise<Record<string, unknown>> {
    return this.#market.federated.getFunction("accountOf")(this.id, actor.address);
  }

  earners(): readonly Actor[] {
    return [...this.#providers, ...this.seats];
  }

  #earned(actor: Actor, round: number): bigint {
    const seat = this.seats.some(({ address }) => address === actor.address);
    const each = seat ? this.terms.seatFee : this.terms.roundPrice / BigInt(this.#providers.length);
    return BigInt(round) * each;
  }

  async #address(): Promise<Address> {
    return (await this.#market.federated.getAddress()) as Address;
  }
}

function byAddress(a: Actor, b: Actor): number {
  return a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1;
}
