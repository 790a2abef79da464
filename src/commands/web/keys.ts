import { setTimeout as delay } from "node:timers/promises";
import { requireKeystore } from "../../account/keystore.ts";
import { linkSignals } from "../../async/abort.ts";
import { isServed } from "../../compose.ts";
import { serve } from "../../daemon/serve.ts";
import { IchainError, isIchainError } from "../../errors/error.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Between two looks whether the daemon takes jobs, milliseconds. */
const LOOK_MS = 100;
/** For the daemon to be ready, tor included, milliseconds. */
const READY_MS = 180_000;

/** The wallet's password, once a session, and what acts with it for this home's jobs. */
export interface Keys extends AsyncDisposable {
  /** @throws WEB_LOCKED */
  readonly password: () => string;
  readonly isUnlocked: () => boolean;
  /** @throws WALLET_WRONG_PASSWORD */
  unlock(context: CommandContext, password: string): Promise<void>;
  /**
   * Resolves once an `ichain serve`, of this process or another, takes jobs.
   * @throws what ended this process's own
   */
  served(context: CommandContext): Promise<void>;
}

/**
 * Without a running `ichain serve` this process is one from `unlock` on: jobs that the page posts need somebody who acts
 * for them.
 */
export function createKeys(warn: (text: string) => void): Keys {
  const stop = new AbortController();
  let known: string | undefined;
  let serving: Promise<void> | undefined;
  let ended: unknown;
  let trying: Promise<unknown> = Promise.resolve();

  const password = (): string => {
    if (known === undefined) throw new IchainError("WEB_LOCKED", "The page is locked.");
    return known;
  };

  async function act(context: CommandContext): Promise<void> {
    using signals = linkSignals([context.signal, stop.signal]);
    try {
      // What it reports comes by its control socket, like every other daemon's.
      const ui = { ...context.ui, reporter: { emit() {} } };
      await serve({ ...context, ui, signal: signals.signal });
    } catch (error) {
      ended = error;
      // An `ichain serve` of its own acts already, or the page ends.
      if (signals.signal.aborted || isIchainError(error, "HOME_BUSY")) return;
      warn(`Nobody acts for your jobs: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async function actUnlessServed(context: CommandContext): Promise<void> {
    if (serving !== undefined || (await isServed(context))) return;
    ended = undefined;
    serving = act(context).finally(() => {
      serving = undefined;
    });
  }

  return {
    password,
    isUnlocked: () => known !== undefined,
    async unlock(context, given) {
      // One try at a time: each costs what the keystore's key derivation costs.
      const before = trying;
      const { promise, resolve } = Promise.withResolvers<void>();
      trying = promise;
      await before;
      try {
        const { openWallet } = await import("../../chain/wallet.ts");
        await openWallet(await requireKeystore(context.config), given, { signal: context.signal });
      } finally {
        resolve();
      }
      known = given;
      await actUnlessServed(context);
    },
    async served(context) {
      const until = performance.now() + READY_MS;
      // The one that ran when the page was unlocked may have ended since.
      await actUnlessServed(context);
      while (!(await isServed(context))) {
        if (serving === undefined && ended !== undefined) throw ended;
        if (performance.now() > until)
          throw new IchainError("SERVE_NOT_RUNNING", "Nobody takes jobs here yet.");
        await delay(LOOK_MS, undefined, { signal: context.signal });
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await serving;
    },
  };
}
