import { resolve } from "node:path";
import { shortId } from "../../protocol/ids.ts";
import { getParcel, getResult } from "../../roles/job/requester/result/get.ts";
import { bytes } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { resultFolder } from "../steps/result.ts";

/** Downloads what is missing of a paid result, unblinds its key and opens it. */
export async function run(
  context: CommandContext,
  args: { id: string },
  options: { out?: string; parcel?: boolean },
): Promise<void> {
  const { ui, signal } = context;
  const { openRole } = await import("../../compose.ts");
  await using role = await openRole(context);
  const jobId = await role.market.resolveJob(args.id, { signal });
  const folder = resolve(options.out ?? resultFolder(jobId));
  const { files, bytes: size } = await (options.parcel ? getParcel : getResult)(role, jobId, folder, {
    signal,
  });
  ui.print(
    { jobId, folder, files, bytes: size },
    () => `Job ${shortId(jobId)}: ${files.length} files (${bytes(size)}) in ${folder}`,
  );
}
