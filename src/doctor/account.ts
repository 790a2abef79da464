import { stat } from "node:fs/promises";
import { readKeystore } from "../account/keystore.ts";
import { bytes, coin, duration } from "../ui/format.ts";
import type { Check } from "./check.ts";
import { nodes } from "./nodes.ts";

const CLOCK_TOLERANCE_SECONDS = 60;

const wallet: Check = {
  name: "wallet",
  async examine({ config }) {
    const json = await readKeystore(config);
    if (json === undefined) {
      return { status: "fail", found: "none", todo: 'Run "ichain wallet create" or "ichain wallet import".' };
    }
    const { walletAddress } = await import("../chain/wallet.ts");
    const found = walletAddress(json);
    const { mode } = await stat(config.paths.keystore);
    return (mode & 0o077) === 0
      ? { status: "ok", found }
      : {
          status: "warn",
          found: `${found}, readable by others`,
          todo: `chmod 600 ${config.paths.keystore}`,
        };
  },
};

const chain: Check = {
  name: "chain",
  async examine({ config, signal, openReader }) {
    if (config.network === undefined) {
      return { status: "fail", found: "no network configured", todo: 'Run "ichain init --network FILE".' };
    }
    const market = await openReader();
    try {
      const json = await readKeystore(config);
      const found = `${config.network.name} at ${new URL(config.network.rpcUrl).host}`;
      if (json === undefined) return { status: "ok", found };
      const { walletAddress } = await import("../chain/wallet.ts");
      const balance = await market.balance(walletAddress(json), { signal });
      return balance > 0n
        ? { status: "ok", found: `${found}, ${coin(balance)}` }
        : {
            status: "warn",
            found: `${found}, no coin`,
            todo: "Send some coin to the wallet: calls cost gas.",
          };
    } finally {
      await market.stop();
    }
  },
};

const clock: Check = {
  name: "clock",
  async examine({ config, signal, openReader }) {
    if (config.network === undefined) return { status: "ok", found: "nothing to compare it with yet" };
    const market = await openReader();
    try {
      const ahead = Math.floor(Date.now() / 1000) - (await market.now({ signal }));
      if (Math.abs(ahead) <= CLOCK_TOLERANCE_SECONDS) return { status: "ok", found: "agrees with the chain" };
      return {
        status: "warn",
        found: `${duration(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} the chain`,
        todo: "Set the clock (NTP): Tor refuses to work with a wrong one. If it is right, the node lies or stands still.",
      };
    } finally {
      await market.stop();
    }
  },
};

const journal: Check = {
  name: "journal",
  async examine({ config, checkJournal }) {
    const size = (await stat(config.paths.journal).catch(() => undefined))?.size;
    if (size === undefined) return { status: "ok", found: "none yet" };
    await checkJournal();
    return { status: "ok", found: bytes(size) };
  },
};

const owner: Check = {
  name: "owner",
  async examine({ config, signal, openReader }) {
    const json = await readKeystore(config);
    if (config.network === undefined || json === undefined) return { status: "ok", found: "no account yet" };
    const { walletAddress } = await import("../chain/wallet.ts");
    const account = walletAddress(json);
    const market = await openReader();
    try {
      const { owner: found, payee, offeredTo } = await market.ownership(account, { signal });
      const isOwn = (one: string) => one.toLowerCase() === account;
      const pay = isOwn(payee) ? "paid itself" : `paid to ${payee}`;
      const whose = isOwn(found) ? "the account itself" : found;
      return offeredTo === undefined
        ? { status: "ok", found: `${whose}, ${pay}` }
        : {
            status: "warn",
            found: `${whose}, ${pay}; offered to ${offeredTo}`,
            todo: `Run "ichain owner accept ${account}" with that wallet.`,
          };
    } finally {
      await market.stop();
    }
  },
};

/** The account, and the chain that it lives on. */
export const accountChecks: readonly Check[] = [nodes, chain, clock, wallet, owner, journal];
