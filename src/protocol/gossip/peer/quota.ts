import type { Address } from "../../ids.ts";

/** What each neighbour may cost in a minute; what it does not use lasts no longer than that minute. */
export class Quota {
  readonly #perMinute: number;
  readonly #left = new Map<Address, { units: number; at: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** False where the neighbour has too little left, which then stays. */
  take(from: Address, units: number, now: number): boolean {
    const before = this.#left.get(from) ?? { units: this.#perMinute, at: now };
    const earned = (Math.max(0, now - before.at) * this.#perMinute) / 60;
    const left = Math.min(this.#perMinute, before.units + earned);
    const enough = left >= units;
    this.#left.set(from, { units: enough ? left - units : left, at: now });
    return enough;
  }

  /** Who is no neighbour any more is forgotten. */
  keepOnly(neighbours: ReadonlySet<Address>): void {
    for (const account of this.#left.keys()) if (!neighbours.has(account)) this.#left.delete(account);
  }
}
