import { openRuntimes } from "../../compose.ts";
import { bytes } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Lists the recipes, ichain's and the owner's own, and which of them this machine's engine holds. */
export async function run(context: CommandContext): Promise<void> {
  const { ui, signal } = context;
  const runtimes = await openRuntimes(context);
  const listed: { name: string; digest: string | undefined; bytes: number | undefined }[] = [];
  for (const name of await runtimes.names()) {
    const held = await runtimes.find(name, { signal });
    listed.push({ name, digest: held?.digest, bytes: held?.bytes });
  }
  ui.print({ runtimes: listed }, () =>
    ui.table(
      ["RUNTIME", "SIZE", "DIGEST"],
      listed.map(({ name, digest, bytes: size }) => [
        name,
        size === undefined ? "-" : bytes(size),
        digest ?? `not built: "ichain runtime build ${name}"`,
      ]),
    ),
  );
}
