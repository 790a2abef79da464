import { resolve } from "node:path";
import { writeBackup } from "../../backup/write.ts";
import { openForBackup } from "../../compose.ts";
import { sameAddress } from "../../protocol/ids.ts";
import { bytes } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Writes this home to one encrypted file; with --move it acts no more. */
export async function run(
  context: CommandContext,
  args: { file: string },
  { move = false }: { move?: boolean },
): Promise<void> {
  const { config, ui, signal } = context;
  await using opened = await openForBackup(context);
  const { account, owner, sent, password } = opened;
  const file = resolve(args.file);
  const at = Math.floor(Date.now() / 1000);
  const content = { version: 1, account, home: config.home, at, sent, moved: move } as const;
  const written = await writeBackup(file, content, { password, signal });
  ui.print({ file, ...written, moved: move, owner }, () => {
    const size = `${written.files} files, ${bytes(written.bytes)}, encrypted with the wallet's password: ${file}`;
    const worth = sameAddress(owner, account)
      ? `Who has both has the stake and the pay of ${account}.`
      : `Stake and pay of ${account} are its owner's, ${owner}, whose key is not in it.`;
    const what = `${size}\n${worth}`;
    return move
      ? `${what}\nThis home acts no more. Restore the file elsewhere: ichain restore FILE`
      : `${what}\nIt is out of date as soon as this home acts again.`;
  });
}
