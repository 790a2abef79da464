import { impossible } from "../../../errors/error.ts";
import { COIN } from "../../../protocol/amounts.ts";
import { money } from "../../../ui/format.ts";
import { programVersion } from "../../../version.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import { accountApi } from "../api/account.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";
import { serving } from "../rows.ts";

/** Who this is, what it holds, and what ichain can do. */
export function accountRoutes({ context, market, account, keys }: PageContext): readonly WebRoute[] {
  return [
    route(accountApi.me, async (_, options) => {
      const { data } = await runCommand(context, "wallet balance");
      const { balance, owed, tokens } = data ?? impossible("no balance");
      return {
        account,
        network: context.config.network?.name,
        transport: context.config.transport,
        home: context.config.home,
        version: programVersion(),
        role: context.config.role,
        now: await market.now(options),
        held: money(balance, COIN),
        // In tokens too.
        owed: [{ token: COIN, owed }, ...tokens]
          .filter((one) => one.owed > 0n || one.token === COIN)
          .map((one) => money(one.owed, one.token))
          .join(", "),
        unlocked: keys.isUnlocked(),
        serving: await serving(context),
      };
    }),
    route(accountApi.help, async () => ({
      commands: context.commands.map(({ name, group, summary, examples }) => ({
        ...{ name, group, summary, example: examples[0] },
      })),
    })),
    route(accountApi.unlock, async ({ password }) => {
      await keys.unlock(context, password);
      return { unlocked: true as const };
    }),
    route(accountApi.withdraw, async () => {
      keys.password();
      return runCommand(context, "wallet withdraw");
    }),
  ];
}
