import { join, resolve } from "node:path";
import { IchainError, isIchainError } from "../../errors/error.ts";
import { type JobId, shortId } from "../../protocol/ids.ts";
import type { RoleContext } from "../../roles/context.ts";
import { draftOf } from "../../roles/job/requester/posting/draft.ts";
import { resultContents } from "../../roles/job/requester/result/contents.ts";
import { getParcel, getResult } from "../../roles/job/requester/result/get.ts";
import { retrievalOf } from "../../roles/job/requester/result/retrieval.ts";
import { bytes } from "../../ui/format.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { contentsData, contentsText } from "../steps/contents.ts";
import { resultFolder } from "../steps/result.ts";
import { withRole } from "../steps/role.ts";
import { getFederated } from "./federated/get.ts";
import { federatedIdOf } from "./federated/view.ts";

interface GetOptions {
  readonly out?: string;
  readonly parcel?: boolean;
  readonly all?: true;
  readonly round?: number;
}

/** Downloads what is missing of a paid result, unblinds its key, opens it and says what lies in it. */
export async function run(
  context: CommandContext,
  { id }: { id?: string },
  options: GetOptions,
): Promise<void> {
  if ((id === undefined) !== (options.all === true)) throw oneOrAll();
  await withRole(context, async (role) => {
    if (id === undefined) return await getAll(context, role, options);
    const { ui, signal } = context;
    const federated = await federatedIdOf(role.market, id, signal);
    if (federated !== undefined) {
      const out = resolve(options.out ?? resultFolder(federated));
      return await getFederated(context, role, { id: federated, out, round: options.round });
    }
    if (options.round !== undefined) throw noRounds();
    const jobId = await role.market.resolveJob(id, { signal });
    const folder = resolve(options.out ?? resultFolder(jobId));
    const { data, text } = await getOne(context, role, { jobId, folder, parcel: options.parcel });
    ui.print(data, () => text);
  });
}

function noRounds(): IchainError {
  return new IchainError("USAGE", "--round is for federated jobs.", { hint: "Leave it out." });
}

/** The results of this home's jobs that were paid for and not opened yet, each in a folder of its own. */
async function getAll(
  context: CommandContext,
  role: RoleContext,
  { out = ".", parcel }: GetOptions,
): Promise<void> {
  const { ui, signal } = context;
  const jobs = (await role.market.jobs({ requester: role.account }, { signal })).filter((job) => {
    const journal = role.journal.open("requester", job.id);
    return (
      job.blindedKey !== undefined && draftOf(journal) !== undefined && retrievalOf(journal) === undefined
    );
  });
  const got: Awaited<ReturnType<typeof getOne>>[] = [];
  const failed: { jobId: JobId; code: string; message: string }[] = [];
  for (const { id: jobId } of jobs) {
    try {
      const folder = resolve(join(out, resultFolder(jobId)));
      got.push(await getOne(context, role, { jobId, folder, parcel }));
    } catch (error) {
      // One that cannot be fetched must not keep the others from being opened.
      if (signal.aborted || !isIchainError(error)) throw error;
      ui.reporter.emit({ kind: "warn", text: `Job ${shortId(jobId)}: ${error.message}` });
      failed.push({ jobId, code: error.code, message: error.message });
    }
  }
  if (failed.length > 0)
    throw incomplete(
      failed,
      got.map(({ data }) => data),
    );
  ui.print({ results: got.map(({ data }) => data) }, () =>
    got.length === 0 ? "No result waits to be opened." : got.map(({ text }) => text).join("\n"),
  );
}

async function getOne(
  { signal }: CommandContext,
  role: RoleContext,
  { jobId, folder, parcel }: { jobId: JobId; folder: string; parcel: boolean | undefined },
) {
  const open = parcel ? getParcel : getResult;
  const { files, bytes: size } = await open(role, jobId, folder, { signal });
  const contents = parcel ? undefined : await resultContents(folder, files, { signal });
  return {
    data: { jobId, folder, files, bytes: size, ...(contents && contentsData(contents)) },
    text: [
      `Job ${shortId(jobId)}: ${files.length} files (${bytes(size)}) in ${folder}`,
      ...(contents ? contentsText(contents) : []),
    ].join("\n"),
  };
}

function incomplete(
  failed: readonly { jobId: JobId; code: string; message: string }[],
  results: readonly object[],
): IchainError {
  const [first] = failed;
  const count = `${failed.length} of ${failed.length + results.length} results could not be opened`;
  return new IchainError("RESULTS_INCOMPLETE", `${count}, the first by ${first!.code}: ${first!.message}`, {
    details: { failed, results },
  });
}

function oneOrAll(): IchainError {
  return new IchainError("USAGE", "Name one job, or ask for --all.", {
    hint: '"ichain get ID" opens one result, "ichain get --all" every one that was not opened yet.',
  });
}
