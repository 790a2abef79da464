import type { Abortable } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import { signerOf } from "../../../../../protocol/federated/ledger/record.ts";
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

/** This seat's signatures of a strike of each proven cheat. */
export function signStrikes(
  { market }: Pick<WorkerContext, "market">,
  job: FederatedJob,
  round: number,
  proposal: RoundProposal,
): [Address, Hex][] {
  return strikesOf(round, proposal).map((strike) => [strike.provider, market.signStrike(job.id, strike)]);
}

/** Strikes each proven cheat that enough seats have found: more than half of them, and two at least. */
export async function strikeAll(
  { market }: WorkerContext,
  journal: JobJournal,
  { job, round, proposal }: { job: FederatedJob; round: number; proposal: RoundProposal },
  signed: readonly (readonly [Address, Pick<Approved, "strikes">])[],
  options: Abortable,
): Promise<void> {
  const domain = market.ledgerDomainOf(job.id);
  const seated = job.members.filter((one) => one.seat).length;
  for (const found of strikesOf(round, proposal)) {
    const approvals = signed.flatMap(([seat, { strikes }]) => {
      const signature = strikes.find(([provider]) => provider.toLowerCase() === found.provider)?.[1];
      const isValid = signature && signerOf(signedStrike(domain, found), signature) === seat.toLowerCase();
      return isValid ? [{ seat, signature }] : [];
    });
    if (approvals.length < 2 || 2 * approvals.length <= seated) continue;
    const call = { kind: "strike", federated: job, strike: found, approvals } as const;
    const name = `strike-${round}-${found.provider}`;
    await unlessRefused(() => transact(market, journal, call, { ...options, name }));
  }
}
