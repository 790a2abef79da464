import type { Branch } from "../../policy/quote.ts";
import { SHARED_PERCENT } from "../market/policy.ts";

interface Quoted {
  /** Of all rounds, smallest unit of the token. */
  readonly pool: bigint;
  readonly rounds: number;
  /** Seconds. */
  readonly windows: { readonly enlist: number; readonly round: number; readonly dispute: number };
  /** Where a proven cheat ends it: the fees of the round in which that is. */
  readonly cheatedFees?: bigint | undefined;
}

/** What providers share of a round at most, smallest unit; the rest comes back to the requester, who leads. */
export function sharedOf({ pool, rounds }: Pick<Quoted, "pool" | "rounds">): bigint {
  return ((pool / BigInt(rounds)) * SHARED_PERCENT) / 100n;
}

/** Every way in which a federated job that its requester leads can end, and the requester's largest loss in it. */
export function federatedBranchesOf(job: Quoted): readonly Branch[] {
  const { pool, rounds, windows, cheatedFees } = job;
  const [price, shared] = [pool / BigInt(rounds), sharedOf(job)];
  const begun = windows.enlist + windows.dispute;
  const over = begun + rounds * windows.round;
  return [
    branch("not-begun", "too few providers enlist", 0n, begun),
    branch(
      "completed",
      "all rounds are closed; one that no update helped pays no one",
      BigInt(rounds) * shared,
      over + windows.dispute,
    ),
    branch(
      "stopped",
      "you stop it amid its last round: what you stop before is not paid",
      BigInt(rounds) * shared,
      over + windows.dispute,
    ),
    branch(
      "late",
      "you do not close its last round: those that said on the chain that they uploaded share its price",
      BigInt(rounds - 1) * shared + price,
      over + windows.dispute,
    ),
    ...(cheatedFees === undefined
      ? []
      : [
          branch(
            "cheated",
            "a cheat is proven amid the last round: what is not closed comes back, but for that round's fees",
            BigInt(rounds - 1) * price + cheatedFees,
            over + windows.dispute,
          ),
        ]),
  ];
}

function branch(outcome: string, meaning: string, loss: bigint, seconds: number): Branch {
  return { outcome, meaning, loss, seconds };
}

/** Providers of one invitation (`MAX_INVITED`). */
const INVITED = 32;

/**
 * Gas of a requester's calls, rounded; a test compares it with what they take. `seat` draws: `seated` is what each
 * validator adds to it.
 */
export const leadGas = {
  ...{ post: 70_000, approve: 47_000, invite: 40_700, invited: 4_800, begin: 38_000, seat: 44_000 },
  ...{ seated: 45_000, firstClose: 67_900, close: 50_900, claim: 70_000, withdraw: 35_000 },
} as const;

/** Gas of a provider's calls, once it has earned before: enlist, claim, release, withdraw. */
export const memberGas = 75_000 + 70_000 + 60_000 + 35_000;

interface Calls {
  readonly invited: number;
  readonly rounds: number;
  /** Validators that are drawn to lead, and told of the job; 0: the requester closes the rounds, and claims. */
  readonly validators: number;
  /** Whether a token pays, which is approved before. */
  readonly inToken: boolean;
}

/** Gas that the requester of a federated job pays when all goes well. */
export function leadGasOf({ invited, rounds, validators, inToken }: Calls): number {
  const { post, approve, invite, invited: each, begin, seat, seated } = leadGas;
  const inviting = Math.ceil(invited / INVITED) * invite + invited * each;
  const begun = (inToken ? approve : 0) + post + inviting + begin;
  if (validators > 0) return begun + seat + validators * seated + invite + validators * each;
  const { firstClose, close, claim, withdraw } = leadGas;
  return begun + firstClose + (rounds - 1) * close + claim + withdraw;
}

/** Of a transaction beside its call: signature, nonce, fees, addresses. */
const ENVELOPE = 120;
/** Of a call: its terms. */
const TERMS = 4 + 18 * 32;

/** Sizes of the same transactions, bytes, for chains that charge for data. */
export function leadDataSizesOf({ invited, rounds, validators, inToken }: Calls): readonly number[] {
  const each = ENVELOPE + TERMS;
  const invitation = (count: number) => each + 256 + 210 + count * (32 + 97);
  const invitations = Array.from({ length: Math.ceil(invited / INVITED) }, (_, i) =>
    invitation(Math.min(INVITED, invited - i * INVITED)),
  );
  const begun = [...(inToken ? [ENVELOPE + 68] : []), each + 64, ...invitations, each];
  if (validators > 0) return [...begun, each + 32, invitation(validators)];
  return [...begun, ...Array<number>(rounds).fill(each + 8 * 32), each + 768, 156];
}
