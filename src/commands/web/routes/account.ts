import { z } from "zod";
import { programVersion } from "../../../version.ts";
import { route, type WebRoute } from "../../../web/server.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";
import { serving } from "../rows.ts";

const nothing = z.strictObject({});
const unlocking = z.strictObject({ password: z.string().min(1).max(1024) });

/** Who this is, what it holds, and what ichain can do. */
export function accountRoutes({ context, market, account, keys }: PageContext): readonly WebRoute[] {
  return [
    route("GET", "/api/me", nothing, async (_, options) => {
      const balance = await runCommand(context, () => import("../../wallet/balance.ts"));
      return {
        account,
        network: context.config.network?.name,
        transport: context.config.transport,
        home: context.config.home,
        version: programVersion(),
        role: context.config.role,
        now: await market.now(options),
        balance,
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
