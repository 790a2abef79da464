import { resolve } from "node:path";
import { readPassword } from "../../account/password.ts";
import { restoreBackup } from "../../backup/restore.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Makes this home of a backup. */
export async function run(
  { config, ui, signal }: CommandContext,
  args: { file: string },
  { lost = false }: { lost?: boolean },
): Promise<void> {
  const { home } = config;
  const password = await readPassword({ source: config.password, prompts: ui.prompts });
  const { account, at } = await restoreBackup(resolve(args.file), home, { password, lost, signal });
  ui.print(
    { home, account, at },
    () => `${home} is the home of ${account} again. Start its daemon, or: ichain resume`,
  );
}
