import type { AppContext } from "./declaration.ts";
import { type WorkOptions, work } from "./steps/work.ts";

/** Leaves this machine confirming others' results. */
export async function run(context: AppContext, _args: object, options: WorkOptions): Promise<void> {
  await work(context, { provider: false, validator: true }, options);
}
