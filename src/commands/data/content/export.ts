import { resolve } from "node:path";
import { openHomeContent } from "../../../compose.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { describeContent, following, MOST_BYTES } from "./follow.ts";

/** Writes a file's blocks into an archive. */
export async function run(
  context: CommandContext,
  { cid, car }: { cid: string; car: string },
  { most = MOST_BYTES }: { most?: number },
): Promise<void> {
  const content = await openHomeContent(context);
  const written = await following(context, `Writing ${car}`, (watched) =>
    content.exportCar(cid, car, { ...watched, most }),
  );
  const file = resolve(car);
  context.ui.print(
    { event: "content", ...written, file },
    () => `${describeContent(written)} It is in ${file}.`,
  );
}
