import { resolve } from "node:path";
import { shortId } from "../../protocol/ids.ts";
import { resultContents } from "../../roles/job/requester/result/contents.ts";
import { getParcel, getResult } from "../../roles/job/requester/result/get.ts";
import { bytes } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { contentsData, contentsText } from "../steps/contents.ts";
import { resultFolder } from "../steps/result.ts";
import { withRole } from "../steps/role.ts";

/** Downloads what is missing of a paid result, unblinds its key, opens it and says what lies in it. */
export async function run(
  context: CommandContext,
  { id }: { id: string },
  options: { out?: string; parcel?: boolean },
): Promise<void> {
  const { ui, signal } = context;
  await withRole(context, async (role) => {
    const jobId = await role.market.resolveJob(id, { signal });
    const folder = resolve(options.out ?? resultFolder(jobId));
    const open = options.parcel ? getParcel : getResult;
    const { files, bytes: size } = await open(role, jobId, folder, { signal });
    const contents = options.parcel ? undefined : await resultContents(folder, files, { signal });
    ui.print({ jobId, folder, files, bytes: size, ...(contents && contentsData(contents)) }, () =>
      [
        `Job ${shortId(jobId)}: ${files.length} files (${bytes(size)}) in ${folder}`,
        ...(contents ? contentsText(contents) : []),
      ].join("\n"),
    );
  });
}
