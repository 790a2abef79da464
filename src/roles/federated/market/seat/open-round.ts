import { type Abortable, raceSignal } from "../../../../async/abort.ts";
import type { Arrivals } from "../requester/round/arrivals.ts";

/** The round that is open at a seat: a message of the next one, of a party that knows of it sooner, waits until it is. */
export class OpenRound {
  #open: { readonly round: number; readonly arrivals: Arrivals } | undefined;
  #changed = Promise.withResolvers<void>();

  show(round: number, arrivals: Arrivals): void {
    this.#open = { round, arrivals };
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** What arrives in `round`, once it is open; undefined where it is over, or not the next. */
  async at(round: number, { signal }: Abortable): Promise<Arrivals | undefined> {
    while (this.#open === undefined || round === this.#open.round + 1)
      await raceSignal(this.#changed.promise, signal);
    return this.#open.round === round ? this.#open.arrivals : undefined;
  }
}
