import { openHomeContent } from "../../../compose.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { describeContent, following, MOST_BYTES } from "./follow.ts";

/** Takes an archive into this home: a line for each of its roots. */
export async function run(
  context: CommandContext,
  { car }: { car: string },
  { most = MOST_BYTES }: { most?: number },
): Promise<void> {
  const content = await openHomeContent(context);
  const files = await following(context, `Reading ${car}`, (watched) =>
    content.importCar(car, { ...watched, most }),
  );
  for (const file of files) context.ui.stream({ event: "content", ...file }, `${describeContent(file)}\n`);
}
