/** What is to happen, by time; of two things at the same second the one that was put down first comes first. */
export class Agenda {
  readonly #entries: { readonly at: number; readonly act: (at: number) => void }[] = [];

  /** Puts down `act` for second `at`. */
  put(at: number, act: (at: number) => void): void {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.at <= at) low = middle + 1;
      else high = middle;
    }
    this.#entries.splice(low, 0, { at, act });
  }

  /** Does all that is due until second `until`, what is put down meanwhile included. */
  run(until: number): void {
    while (this.#entries[0] !== undefined && this.#entries[0].at <= until) {
      const { at, act } = this.#entries.shift()!;
      act(at);
    }
  }
}
