import { resolve } from "node:path";
import { openHomeContent } from "../../../compose.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { describeContent, following, MOST_BYTES } from "./follow.ts";

/** Fetches a file by its CID. What has arrived stays in this home, so that the next call goes on from there. */
export async function run(
  context: CommandContext,
  { cid }: { cid: string },
  { out, from = [], most = MOST_BYTES }: { out: string; from?: readonly string[]; most?: number },
): Promise<void> {
  const content = await openHomeContent(context);
  const fetched = await following(context, `Fetching ${cid}`, (watched) =>
    content.fetch(cid, out, { ...watched, sources: from, most }),
  );
  const file = resolve(out);
  context.ui.print(
    { event: "content", ...fetched, file },
    () => `${describeContent(fetched)} It is ${file}.`,
  );
}
