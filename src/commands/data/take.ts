import type { CommandContext } from "../framework/declaration.ts";
import { settleKinds } from "./act.ts";

/** Ends the fixes of which no window is open any more, and draws panels that were asked for. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  const kinds = ["take", "empanel"] as const;
  await settleKinds(context, id, {
    kinds,
    none: "No fix is decided.",
    done: "calls ended or moved on fixes",
  });
}
