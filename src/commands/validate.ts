import { type WorkOptions, work } from "../daemon/work.ts";
import { asService, type ServiceOptions } from "./daemon/install-service.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Leaves this machine confirming others' results. */
export async function run(
  context: CommandContext,
  _args: object,
  options: WorkOptions & ServiceOptions,
): Promise<void> {
  if (await asService(context, "validate", options)) return;
  await work(context, { provider: false, validator: true }, options);
}
