import { openRole } from "../../compose.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { RoleContext } from "../../roles/context.ts";
import type { CommandContext } from "../framework/declaration.ts";

/** Opens the account with everything that a role works with, and closes it when `use` is done. */
export async function withRole<T>(
  context: CommandContext,
  use: (role: RoleContext) => Promise<T>,
): Promise<T> {
  await using role = await openRole(context);
  return await use(role);
}

/**
 * The same for one job, named by its id or the first digits of it.
 * @throws JOB_UNKNOWN, JOB_AMBIGUOUS
 */
export function withJob<T>(
  context: CommandContext,
  id: string,
  use: (role: RoleContext, job: Job) => Promise<T>,
): Promise<T> {
  const { signal } = context;
  return withRole(context, async (role) => {
    const jobId = await role.market.resolveJob(id, { signal });
    return use(role, await role.market.job(jobId, { signal }));
  });
}
