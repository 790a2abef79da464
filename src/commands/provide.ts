import { type WorkOptions, work } from "../daemon/work.ts";
import { asService, type ServiceOptions } from "./daemon/install-service.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Leaves this machine taking jobs, and validations too with --validate. */
export async function run(
  context: CommandContext,
  _args: object,
  options: WorkOptions & ServiceOptions & { validate?: true },
): Promise<void> {
  if (await asService(context, "provide", options)) return;
  await work(context, { provider: true, validator: options.validate === true }, options);
}
