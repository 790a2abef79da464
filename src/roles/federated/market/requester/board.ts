import type { Abortable } from "../../../../async/abort.ts";
import { raceSignal } from "../../../../async/abort.ts";
import type { Feed } from "../../../../ports/transport.ts";
import type { RoundMessage } from "../../../../protocol/federated/market/messages.ts";
import type { Address } from "../../../../protocol/ids.ts";
import type { Channel } from "../channel.ts";

/** What the requester tells its providers now: each reads its own message in its own feed. */
export class Board {
  #round = 0;
  #messageFor: (account: Address) => RoundMessage | undefined = () => undefined;
  #changed = Promise.withResolvers<void>();
  #heard = Promise.withResolvers<void>();
  readonly #read = new Map<Address, number>();

  /** Shows the messages of `round` from now on; who waits for it gets it at once. */
  show(round: number, messageFor: (account: Address) => RoundMessage | undefined): void {
    this.#round = round;
    this.#messageFor = messageFor;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** The last round whose message this provider has fetched; 0 before any. */
  readBy(account: Address): number {
    return this.#read.get(account) ?? 0;
  }

  /** A provider's feed: its part `from` is the message of round `from`, or of a later one. */
  feedOf(account: Address, channel: Channel): Feed {
    return {
      id: channel.feed,
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
