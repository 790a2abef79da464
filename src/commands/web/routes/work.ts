import { z } from "zod";
import { isIchainError } from "../../../errors/error.ts";
import { COIN } from "../../../protocol/amounts.ts";
import { route, type WebRoute } from "../../../web/server.ts";
import { policyEffect } from "../../policy/effect.ts";
import { type Printed, runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";

const nothing = z.strictObject({});

/** What a provider or validator looks at. */
export function workRoutes({ context, board }: PageContext): readonly WebRoute[] {
  return [
    route("GET", "/api/work", nothing, async () => ({
      coin: COIN,
      earnings: await runCommand(context, () => import("../../daemon/earnings.ts")),
      stake: await runCommand(context, () => import("../../stake/status.ts")).catch(noOffer),
      status: await runCommand(context, () => import("../../daemon/status.ts")),
    })),
    route("GET", "/api/policy", nothing, async () => policyEffect(context, board.recent())),
    route("GET", "/api/doctor", nothing, () =>
      runCommand(context, () => import("../../doctor.ts"), {}, { printing: "DOCTOR_FAILED" }),
    ),
  ];
}

/** An account that offers nothing has no stake. */
function noOffer(error: unknown): Printed {
  if (!isIchainError(error, "NO_OFFER")) throw error;
  return { data: undefined, text: error.message };
}
