import { type Abortable, raceSignal } from "../../../../../async/abort.ts";
import type { JobJournal } from "../../../../../ports/journal.ts";
import type { Approved, FiguresCommitted } from "../../../../../protocol/federated/market/seat-messages.ts";
import type { Address, Hex } from "../../../../../protocol/ids.ts";

/** What other seats answer to what this one tells of a round; recorded before its sender learns that it arrived. */
export class Answers {
  readonly #journal: JobJournal;
  #changed = Promise.withResolvers<void>();

  constructor(journal: JobJournal) {
    this.#journal = journal;
  }

  /** The first of each kind counts. */
  async take(
    account: Address,
    message: { readonly committed: FiguresCommitted } | { readonly approved: Approved },
  ): Promise<void> {
    const answer = "committed" in message ? message.committed : message.approved;
    const name = "committed" in message ? commitmentStep : approvalStep;
    await this.#journal.step(name(answer.round, account), { prepare: () => answer, act: (one) => one });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** What `account` committed to of the list with the digest `list`; undefined while it has not. */
  commitment(round: number, account: Address, list: Hex): Hex | undefined {
    const answer = this.#journal.outcome<FiguresCommitted>(commitmentStep(round, account));
    return answer?.list === list ? answer.commitment : undefined;
  }

  approval(round: number, account: Address): Approved | undefined {
    return this.#journal.outcome<Approved>(approvalStep(round, account));
  }

  /** Resolves when all have answered, or enough have and the others had `graceMs` more. */
  async until(
    {
      all,
      enough,
      graceMs,
    }: { readonly all: () => boolean; readonly enough: () => boolean; readonly graceMs: number },
    { signal }: Abortable,
  ): Promise<void> {
    let end = Number.POSITIVE_INFINITY;
    for (;;) {
      signal.throwIfAborted();
      const { promise } = this.#changed;
      const now = performance.now();
      if (enough()) {
        if (all() || now >= end) return;
        end = Math.min(end, now + graceMs);
      }
      await raceSignal(promise, signal, Number.isFinite(end) ? end - now : undefined);
    }
  }
}

const commitmentStep = (round: number, account: Address) => `commitment-${round}-${account.toLowerCase()}`;
const approvalStep = (round: number, account: Address) => `approval-${round}-${account.toLowerCase()}`;
