import type { CommandContext } from "../framework/declaration.ts";
import { settleKinds } from "./act.ts";

/** Credits rows that can no longer be fixed to their authors: deposit and price. */
export async function run(context: CommandContext, { id }: { id: string }): Promise<void> {
  await settleKinds(context, id, {
    ...{ kinds: ["refund"], none: "No entry is due.", done: "entries are credited to their authors" },
  });
}
