import { openImageRegistry } from "../../compose.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { checkedReference, shown } from "./reference.ts";

/** Says how a job names an image of a registry. */
export async function run(context: CommandContext, { name }: { name: string }): Promise<void> {
  const registry = await openImageRegistry(context);
  shown(context, checkedReference(await registry.reference(name, { signal: context.signal })));
}
