import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import { shortId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { transact } from "../../shared/transact.ts";
import { challenge } from "./challenge.ts";
import { inspect } from "./inspect.ts";
import type { Draft } from "./posting/draft.ts";

/**
 * Where a claim can be challenged the requester is its own validator: it settles a good result at once, challenges a
 * wrong one, and leaves the window to pass over one that it cannot judge. Resolves with false when nothing was
 * done: there was nothing to do, or the window is over after all.
 */
export async function answerClaim(
  context: RoleContext,
  journal: JobJournal,
  { job, draft }: { job: Job; draft: Draft },
  options: Abortable,
): Promise<boolean> {
  const { finding, why } = await inspect(context, journal, { job, draft }, options);
  const say = (kind: "info" | "warn", text: string) => {
    journal.note(text);
    context.reporter.emit({ kind, text: `Job ${shortId(job.id)}: ${text}` });
  };
  try {
    if (finding === "good") {
      say("info", `the result is accepted: ${why}`);
      await transact(context.market, journal, { kind: "settle", job }, { ...options, name: "accept-result" });
      return true;
    }
    if (finding === "wrong") {
      say("warn", `the result is challenged: ${why}`);
      await challenge(context, journal, { job, draft }, options);
      return true;
    }
  } catch (error) {
    if (!isIchainError(error) || error.class !== "refused") throw error;
    say("warn", error.message);
    return false;
  }
  say("warn", `the result is neither accepted nor challenged: ${why}`);
  return false;
}
