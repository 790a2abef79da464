import type { UploadLine } from "../../../../../protocol/federated/ledger/ledger.ts";
import { payLeaves } from "../../../../../protocol/federated/ledger/ledger.ts";
import {
  type LedgerDomain,
  type RoundMember,
  recordHash,
} from "../../../../../protocol/federated/ledger/record.ts";
import { memberLeaf, treeRoot } from "../../../../../protocol/federated/ledger/tree.ts";
import type { Closing } from "../../../../../protocol/federated/market/closing.ts";
import { sharesOf } from "../../../../../protocol/federated/pay/shares.ts";
import { mayCount } from "../../../../../protocol/federated/replay.ts";
import type { Address, Hex } from "../../../../../protocol/ids.ts";
import type { RoundBasis } from "../draft.ts";
import type { Aggregated } from "./aggregate.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/** A round as it is closed: a step of the journal. */
export interface ClosedRound {
  readonly round: number;
  readonly closing: Closing;
  /** The round's lines of the ledger, in order. */
  readonly lines: readonly string[];
  /** In all rounds so far, by account in lower case, ascending; wei. */
  readonly earned: readonly (readonly [account: Address, amount: bigint])[];
  /** What each provider got in this round; wei. */
  readonly paid: readonly (readonly [account: Address, amount: bigint])[];
  readonly members: readonly RoundMember[];
  /** What each update took: bytes of its parcel, and seconds of training by its provider's word. */
  readonly took: readonly (readonly [account: Address, took: { bytes: number; seconds: number }])[];
  readonly before: Aggregated["before"];
}

/** Pays a round by what its updates were worth, and writes its lines of the ledger. */
export function closeBooks(
  domain: LedgerDomain,
  draft: RoundBasis,
  {
    round,
    members,
    uploads,
    aggregated,
    earned,
    previous,
    parent,
    model,
    times,
    bytes,
    lead,
    sign,
    seated = 0,
    feeFor = [],
    blindedKey = NOTHING,
  }: {
    readonly round: number;
    readonly members: readonly { readonly account: Address; readonly rows: number }[];
    readonly uploads: readonly UploadLine[];
    readonly aggregated: Aggregated;
    readonly earned: ClosedRound["earned"];
    /** Hash of the aggregation before. */
    readonly previous: Hex;
    /** Digest of the model that the round began with. */
    readonly parent: Hex;
    /** Root of the parcel with the next model. */
    readonly model: Hex;
    /** Of the parcels of the updates, by account. */
    readonly bytes: ReadonlyMap<Address, number>;
    readonly times: { readonly finishedAt: number; readonly seconds: number };
    /** Made the model, and gets what the providers' shares leave. */
    readonly lead: Address;
    /** The lead's signature of its record, given the record's hash. */
    readonly sign: (hash: Hex) => Hex;
    /** Seats that were drawn. */
    readonly seated?: number;
    /** Seats that are paid their fee now; the fees of the others go to the requester. */
    readonly feeFor?: readonly Address[];
    /** Of the model's parcel; zero where the requester leads. */
    readonly blindedKey?: Hex;
  },
): ClosedRound {
  const { share, strategy } = draft.file.federated;
  const { requester, roundPrice, seatFee } = draft.terms;
  const rows = members
    .map(({ account, rows: count }) => {
      const provider = account.toLowerCase() as Address;
      const sent = uploads.find(({ upload }) => upload.provider === provider)?.upload;
      const found = aggregated.members.find((one) => one.account.toLowerCase() === provider);
      const member: RoundMember = {
        ...{ provider, rows: count, audit: found?.audit ?? "none" },
        upload: sent === undefined ? NOTHING : recordHash(sent, domain),
        accuracy: Math.max(0, found?.accuracy ?? 0),
        weight: found?.weight ?? 0,
      };
      const counts = found !== undefined && mayCount(found.audit) && (found.taken || share === "accuracy");
      const worth = share === "left-out" ? Math.max(0, found?.contribution ?? 0) : member.accuracy;
      return { member, worth: counts ? worth : 0 };
    })
    .toSorted((a, b) => (a.member.provider < b.member.provider ? -1 : 1));
  const { shares, rest, refunded } = sharesOf(
    roundPrice,
    rows.map(({ worth }) => BigInt(worth)),
  );
  const sums = new Map(earned);
  const add = (account: Address, amount: bigint) => {
    const one = account.toLowerCase() as Address;
    if (amount > 0n) sums.set(one, (sums.get(one) ?? 0n) + amount);
  };
  for (const [i, { member }] of rows.entries()) add(member.provider, shares[i]!);
  add(refunded ? requester : lead, refunded ? roundPrice : rest);
  for (const seat of feeFor) add(seat, seatFee);
  add(requester, BigInt(seated - feeFor.length) * seatFee);
  const after = [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const aggregation = {
    ...{ round, lead, parent, model: aggregated.digest, strategy, location: model, previous, ...times },
    updatesRoot: treeRoot(rows.map(({ member }) => memberLeaf(round, member))),
    payRoot: treeRoot(payLeaves(new Map(after))),
  };
  const tip = recordHash(aggregation, domain);
  const line = {
    aggregation,
    members: rows.map(({ member }) => member),
    earned: after.map(([account, amount]) => [account, String(amount)]),
    signature: sign(tip),
  };
  return {
    round,
    closing: {
      ...{ round, updatesRoot: aggregation.updatesRoot, modelDigest: aggregated.digest, modelRoot: model },
      ...{ payRoot: aggregation.payRoot, blindedKey, ledgerTip: tip },
    },
    lines: [...uploads, line].map((one) => JSON.stringify(one)),
    earned: after,
    paid: rows.map(({ member }, i) => [member.provider, shares[i]!] as const),
    members: rows.map(({ member }) => member),
    took: uploads.map(({ upload: { provider, seconds } }) => [
      provider,
      { bytes: bytes.get(provider) ?? 0, seconds },
    ]),
    before: aggregated.before,
  };
}
