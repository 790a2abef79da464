import { serve } from "../daemon/serve.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Leaves this machine acting for the requester of every job that was submitted from this home. */
export async function run(context: CommandContext): Promise<void> {
  await serve(context);
}
