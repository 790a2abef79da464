import { type WorkOptions, work } from "../daemon/work.ts";
import type { CommandContext } from "./framework/declaration.ts";

/** Leaves this machine taking jobs, and validations too with --validate. */
export async function run(
  context: CommandContext,
  _args: object,
  options: WorkOptions & { validate?: true },
): Promise<void> {
  await work(context, { provider: true, validator: options.validate === true }, options);
}
