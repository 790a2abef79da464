import { type WorkOptions, work } from "../daemon/work.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Leaves this machine confirming others' results. */
export async function run(context: CommandContext, _args: object, options: WorkOptions): Promise<void> {
  await work(context, { provider: false, validator: true }, options);
}
