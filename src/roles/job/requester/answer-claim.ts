import type { Abortable } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Job } from "../../../protocol/job/job.ts";
import type { RoleContext } from "../../context.ts";
import { noteAndReport } from "../../shared/note.ts";
import { transact } from "../../shared/transact.ts";
import { challenge } from "./challenge.ts";
import { inspect } from "./inspect.ts";
import type { Draft } from "./posting/draft.ts";

/**
 * Answers a claim that can be challenged, with the requester as its own validator: settles a good result at once,
 * challenges a wrong one, and lets the window pass for one that it cannot judge. Resolves with false when it made no
 * call, or made it too late.
 */
export async function answerClaim(
  context: RoleContext,
  journal: JobJournal,
  { job, draft }: { job: Job; draft: Draft },
  options: Abortable,
): Promise<boolean> {
  const { finding, why } = await inspect(context, journal, { job, draft }, options);
  const report = (kind: "info" | "warn", text: string) => noteAndReport(context, journal, text, kind);
  try {
    if (finding === "good") {
      report("info", `the result is accepted: ${why}`);
      await transact(context.market, journal, { kind: "settle", job }, { ...options, name: "accept-result" });
      return true;
    }
    if (finding === "wrong") {
      report("warn", `the result is challenged: ${why}`);
      await challenge(context, journal, { job, draft }, options);
      return true;
    }
  } catch (error) {
    if (!isIchainError(error) || error.class !== "refused") throw error;
    report("warn", error.message);
    return false;
  }
  report("warn", `the result is neither accepted nor challenged: ${why}`);
  return false;
}
