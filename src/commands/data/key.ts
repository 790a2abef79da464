import type { CommandContext } from "../framework/declaration.ts";
import { withRole } from "../steps/role.ts";

/** Prints the key by which the owner of a private campaign names this account as a reader. */
export async function run(context: CommandContext): Promise<void> {
  await withRole(context, async ({ account, keyring }) => {
    const { onionKey: key } = keyring.publicKeys;
    context.ui.print({ account, key }, () => key);
  });
}
