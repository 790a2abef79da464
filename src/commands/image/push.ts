import { openImageRegistry } from "../../compose.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { checkedReference, shown } from "./reference.ts";

/** Publishes an image of this machine's engine, and says how a job names it. */
export async function run(
  context: CommandContext,
  { image, name }: { image: string; name: string },
): Promise<void> {
  const { signal } = context;
  const registry = await openImageRegistry(context);
  // Before anything is sent: a name that no job may use would be published in vain.
  checkedReference(`${name.replace(/:[^:/]*$/, "")}@sha256:${"0".repeat(64)}`);
  await registry.push(image, name, { signal });
  shown(context, checkedReference(await registry.reference(name, { signal })));
}
