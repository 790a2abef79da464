import { z } from "zod";
import { COIN, type TokenInfo } from "../../../protocol/amounts.ts";
import { money } from "../../../ui/format.ts";
import { programVersion } from "../../../version.ts";
import { route, type WebRoute } from "../../../web/server.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";
import { serving } from "../rows.ts";

/** What `ichain wallet balance` prints. */
interface Balance {
  readonly balance: bigint;
  readonly owed: bigint;
  readonly tokens: readonly { readonly token: TokenInfo; readonly owed: bigint }[];
}

const nothing = z.strictObject({});
const unlocking = z.strictObject({ password: z.string().min(1).max(1024) });

/** Who this is, what it holds, and what ichain can do. */
export function accountRoutes({ context, market, account, keys }: PageContext): readonly WebRoute[] {
  return [
    route("GET", "/api/me", nothing, async (_, options) => {
      const { data } = (await runCommand(context, () => import("../../wallet/balance.ts"))) as {
        data: Balance;
      };
      return {
        account,
        network: context.config.network?.name,
        transport: context.config.transport,
        home: context.config.home,
        version: programVersion(),
        role: context.config.role,
        now: await market.now(options),
        held: money(data.balance, COIN),
        // In tokens too.
        owed: [{ token: COIN, owed: data.owed }, ...data.tokens]
          .filter(({ token, owed }) => owed > 0n || token === COIN)
          .map(({ token, owed }) => money(owed, token))
          .join(", "),
        unlocked: keys.isUnlocked(),
        serving: await serving(context),
      };
    }),
    route("GET", "/api/help", nothing, async () => ({
      commands: context.commands.map(({ name, group, summary, examples }) => ({
        ...{ name, group, summary, example: examples[0] },
      })),
    })),
    route("POST", "/api/unlock", unlocking, async ({ password }) => {
      await keys.unlock(context, password);
      return { unlocked: true };
    }),
  ];
}
