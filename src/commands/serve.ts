import { serve } from "../daemon/serve.ts";
import { asService, type ServiceOptions } from "./daemon/install-service.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Leaves this machine acting for the requester of every job that was submitted from this home. */
export async function run(context: CommandContext, _args: object, options: ServiceOptions): Promise<void> {
  if (await asService(context, "serve", options)) return;
  await serve(context);
}
