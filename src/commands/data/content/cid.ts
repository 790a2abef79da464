import { openHomeContent } from "../../../compose.ts";
import type { ContentProfile } from "../../../ports/content.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { describeContent, following } from "./follow.ts";

/** The CID of a file; with `keep` its blocks stay in this home. */
export async function run(
  context: CommandContext,
  { file }: { file: string },
  { profile, keep = false }: { profile: ContentProfile; keep?: boolean },
): Promise<void> {
  const { ui } = context;
  const content = await openHomeContent(context);
  const made = await following(context, `Hashing ${file}`, (watched) =>
    content.cidOf(file, { ...watched, profile, keep }),
  );
  ui.print({ event: "content", ...made }, () => (keep ? describeContent(made) : made.cid));
}
