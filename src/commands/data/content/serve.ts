import { aborted } from "../../../async/abort.ts";
import { openHomeContent } from "../../../compose.ts";
import type { CommandContext } from "../../framework/declaration.ts";

/** Serves this home's blocks until the signal aborts. */
export async function run(
  context: CommandContext,
  _args: object,
  { listen, node }: { listen: string; node: string },
): Promise<void> {
  const { ui, signal } = context;
  const content = await openHomeContent(context);
  await using server = await content.serve({ gateway: listen, node, signal });
  const { gateway, nodes } = server;
  ui.print({ event: "serving", gateway, nodes }, () =>
    [
      `Serving the blocks of this home: ichain data fetch CID --from ${gateway}`,
      ...nodes.map((one) => `                                or --from ${one}`),
      "Ctrl-C stops.",
    ].join("\n"),
  );
  await aborted(signal);
}
