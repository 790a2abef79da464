import type { JobJournal } from "../../../../ports/journal.ts";
import { type Address, sameAddress } from "../../../../protocol/ids.ts";

/** How long the seat on turn may take to tell a list that others would have told by now, seconds. */
const SILENT = 30;
/** Of the time that this seat took for what it was told, how often the one that told it may take to go on. */
const SLOWER = 3;

/**
 * The seats in the order in which they may lead a round. Their turns go round with the rounds; those that have not signed
 * the round before, as the chain has it, come last. So one that is away holds up one round, and one that is back leads
 * again once it has signed.
 */
export function turnsOf(
  order: readonly Address[],
  round: number,
  signers: readonly Address[] | undefined,
): readonly Address[] {
  const from = (round - 1) % order.length;
  const rotated = [...order.slice(from), ...order.slice(0, from)];
  const hasSigned = (one: Address) => signers?.some((each) => sameAddress(each, one)) ?? true;
  return [...rotated.filter(hasSigned), ...rotated.filter((one) => !hasSigned(one))];
}

/** What a seat was told by one that leads before it, and what it made of that: each is a step of its journal. */
interface Heard {
  /** Second of the step that came last, and seconds that this seat took for it. */
  readonly at: number;
  readonly took: number;
  /** This seat has answered: it is the other's turn to go on. */
  readonly isAnswered: boolean;
}

/**
 * Decides in round `round` when a seat may lead though others come before it: half a minute for each of them that told no
 * list; one that told a list, or proposed, is waited for while this seat works on that, and then half a minute and thrice
 * as long as that took. A seat that is wrong about this makes a second proposal, of which the chain takes one.
 */
export class Silence {
  readonly #journal: Pick<JobJournal, "outcome">;
  readonly #round: number;
  readonly #heard = new Map<number, { stage: number; since: number; last: Heard }>();

  constructor(journal: Pick<JobJournal, "outcome">, round: number) {
    this.#journal = journal;
    this.#round = round;
  }

  /**
   * Whether, `seconds` after enough updates are here, each of those before has had its time; `earlier` are their places
   * among the seats, as their turns come. To be called again and again.
   */
  isOver(earlier: readonly number[], seconds: number): boolean {
    const until = earlier.reduce((before, place) => {
      const heard = this.#look(place, seconds);
      if (heard === undefined) return before + SILENT;
      if (!heard.isAnswered) return Number.POSITIVE_INFINITY;
      return Math.max(before, heard.at + SILENT + SLOWER * heard.took);
    }, 0);
    return seconds >= until;
  }

  #look(place: number, seconds: number): Heard | undefined {
    // A list is answered by figures; a proposal by working it out.
    const steps = ["listed", "figures", "heard", "examined"];
    const stage = steps.findLastIndex(
      (name) => this.#journal.outcome(`${name}-${this.#round}-${place}`) !== undefined,
    );
    if (stage < 0) return undefined;
    const known = this.#heard.get(place);
    if (known?.stage === stage) return known.last;
    const isAnswered = stage % 2 === 1;
    const took = isAnswered && known !== undefined ? seconds - known.since : 0;
    const last = { at: seconds, took, isAnswered };
    this.#heard.set(place, { stage, since: seconds, last });
    return last;
  }
}
