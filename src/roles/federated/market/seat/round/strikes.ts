import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { Approval } from "../../../../../ports/market/federated.ts";
import { signerOf } from "../../../../../protocol/federated/ledger/record.ts";
import type { Closing } from "../../../../../protocol/federated/market/closing.ts";
import type { Strike } from "../../../../../protocol/federated/market/events.ts";
import type { FederatedJob } from "../../../../../protocol/federated/market/job.ts";
import type { Approved, RoundProposal } from "../../../../../protocol/federated/market/seat-messages.ts";
import { signedStrike } from "../../../../../protocol/federated/market/signatures.ts";
import type { Address, Hex } from "../../../../../protocol/ids.ts";
import type { WorkerContext } from "../../../../context.ts";
import { transact } from "../../../../shared/transact.ts";
import { unlessRefused } from "../../unless-refused.ts";

/** The proven cheats of a round, as seats sign them. */
function strikesOf(round: number, { updates, measured }: RoundProposal): Strike[] {
  return updates.flatMap(({ upload, parcel }, i) =>
    measured[i]!.audit === "proven" ? [{ provider: upload.provider, round, upload: parcel.root }] : [],
  );
}

type Signed = Pick<Approved, "signature" | "strikes">;

/** What this seat signs of a round: strikes, and the closing, unless two seats or more are to end the job for a cheat. */
export function signRound(
  { market }: Pick<WorkerContext, "market">,
  job: FederatedJob,
  closing: Closing,
  proposal: RoundProposal,
): Signed {
  const strikes = strikesOf(closing.round, proposal).map((strike): [Address, Hex] => [
    strike.provider,
    market.signStrike(job.id, strike),
  ]);
  const ends = job.terms.refunds && strikes.length > 0 && job.members.filter(({ seat }) => seat).length > 1;
  return { strikes, ...(!ends && { signature: market.signClosing(job.id, closing) }) };
}

/** A strike with its signatures. */
interface Accusation {
  readonly strike: Strike;
  readonly approvals: readonly Approval[];
}

/**
 * Strikes each proven cheat that enough seats have found: more than half of them, and two at least. Which is decided once:
 * the first strike may end the job, and the others still count.
 */
export async function strikeAll(
  context: WorkerContext,
  journal: JobJournal,
  { job, round, proposal }: { job: FederatedJob; round: number; proposal: RoundProposal },
  signed: readonly (readonly [Address, Signed])[],
  options: Abortable,
): Promise<void> {
  const domain = context.market.ledgerDomainOf(job.id);
  const seated = job.members.filter((one) => one.seat).length;
  const strikes = strikesOf(round, proposal).flatMap((found): Accusation[] => {
    const approvals = signed.flatMap(([seat, { strikes: signatures }]) => {
      const signature = signatures.find(([provider]) => provider.toLowerCase() === found.provider)?.[1];
      const isValid = signature && signerOf(signedStrike(domain, found), signature) === seat.toLowerCase();
      return isValid ? [{ seat, signature }] : [];
    });
    if (approvals.length < 2 || 2 * approvals.length <= seated) return [];
    return [{ strike: found, approvals }];
  });
  if (strikes.length > 0) await strikeEach(context, journal, { job, round, strikes }, options);
}

async function strikeEach(
  { market }: Pick<WorkerContext, "market">,
  journal: JobJournal,
  { job, round, strikes }: { job: FederatedJob; round: number; strikes: readonly Accusation[] },
  options: Abortable,
): Promise<void> {
  await journal.step(`strikes-${round}`, {
    prepare: () => strikes,
    act: async (all: readonly Accusation[]) => {
      for (const one of all) {
        const call = { kind: "strike", federated: job, ...one } as const;
        const name = `strike-${round}-${one.strike.provider}`;
        await unlessRefused(() => transact(market, journal, call, { ...options, name }));
      }
      return all.length;
    },
  });
}

/** Makes the strikes that this seat was making when the first of them ended the job. */
export async function finishStrikes(
  context: Pick<WorkerContext, "market">,
  journal: JobJournal,
  job: FederatedJob,
  options: Abortable,
): Promise<void> {
  const round = job.closings.length + 1;
  const strikes = journal.intent<readonly Accusation[]>(`strikes-${round}`);
  if (strikes !== undefined) await strikeEach(context, journal, { job, round, strikes }, options);
}
