import type { CommandContext } from "../framework/declaration.ts";
import { tellDaemons } from "../steps/daemons.ts";

/** Lets the daemon of this home read its policy again. */
export async function run(context: CommandContext): Promise<void> {
  const daemons = await tellDaemons(context, "reload", { takes: (kind) => kind === "worker" });
  context.ui.print({ daemons }, () => "The policy is read again; its offer says what changed.");
}
