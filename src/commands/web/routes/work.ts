import { isIchainError } from "../../../errors/error.ts";
import { COIN } from "../../../protocol/amounts.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import { coins } from "../../framework/parse.ts";
import { policyEffect } from "../../policy/effect.ts";
import { workApi } from "../api/work.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";

/** What a provider or validator looks at. */
export function workRoutes({ context, board, keys }: PageContext): readonly WebRoute[] {
  return [
    route(workApi.work, async () => ({
      coin: COIN,
      earnings: await runCommand(context, "earnings"),
      stake: await runCommand(context, "stake status").catch(noOffer),
      status: await runCommand(context, "status"),
    })),
    route(workApi.deposit, async ({ coin }) => {
      keys.password();
      return runCommand(context, "stake deposit", { args: { coin: coins(coin) } });
    }),
    route(workApi.release, async ({ coin }) => {
      keys.password();
      return runCommand(context, "stake withdraw", { args: { coin: coins(coin) } });
    }),
    route(workApi.collect, async () => {
      keys.password();
      return runCommand(context, "stake collect");
    }),
    route(workApi.policy, async () => policyEffect(context, board.recent())),
    route(workApi.doctor, () => runCommand(context, "doctor", {}, { printing: "DOCTOR_FAILED" })),
  ];
}

/** An account that offers nothing has no stake. */
function noOffer(error: unknown) {
  if (!isIchainError(error, "NO_OFFER")) throw error;
  return { data: undefined, text: error.message };
}
