import type { Abortable } from "../../../../async/abort.ts";
import { raceSignal } from "../../../../async/abort.ts";
import type { Feed } from "../../../../ports/transport.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { Channel } from "../channel.ts";

/** What one party tells others now, step by step (a round, mostly): each reads its own message in its own feed. */
export class Board<Message> {
  #round = 0;
  #messageFor: (account: Address) => Message | undefined = () => undefined;
  #changed = Promise.withResolvers<void>();
  #heard = Promise.withResolvers<void>();
  readonly #read = new Map<Address, number>();

  /** Shows the messages of `round` from now on; who waits for it gets it at once. */
  show(round: number, messageFor: (account: Address) => Message | undefined): void {
    this.#round = round;
    this.#messageFor = messageFor;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** The last round whose message this account has fetched; 0 before any. */
  readBy(account: Address): number {
    return this.#read.get(account) ?? 0;
  }

  /** An account's feed: its part `from` is the message of round `from`, or of a later one. */
  feedOf(account: Address, channel: Channel, id = channel.feed): Feed {
    return {
      id,
      read: async (from, { signal }) => {
        for (;;) {
          const message = this.#round >= from ? this.#messageFor(account) : undefined;
          if (message !== undefined) {
            this.#read.set(account, this.#round);
            this.#heard.resolve();
            this.#heard = Promise.withResolvers();
            return channel.seal(message);
          }
          const { promise } = this.#changed;
          try {
            await raceSignal(promise, signal);
          } catch {
            return undefined;
          }
        }
      },
    };
  }

  /** Resolves when all of these have fetched the message of `round`, or `signal` aborts. */
  async readByAll(accounts: readonly Address[], round: number, { signal }: Abortable): Promise<void> {
    while (!signal.aborted && accounts.some((account) => this.readBy(account) < round))
      await raceSignal(this.#heard.promise, signal).catch(() => undefined);
  }
}
