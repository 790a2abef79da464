import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Abortable } from "../../../async/abort.ts";
import { retryTransient } from "../../../async/retry.ts";
import { type IchainError, isIchainError } from "../../../errors/error.ts";
import type { JobJournal } from "../../../ports/journal.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { type Measurement, measurementCommitment } from "../../../protocol/job/measurement.ts";
import { voteOf } from "../../../protocol/task/judgement.ts";
import { measurementOf, parseReport } from "../../../protocol/task/report.ts";
import type { RoleContext } from "../../context.ts";
import { chainDeadline } from "../../shared/chain-deadline.ts";
import { jobFolder } from "../../shared/job-folder.ts";
import { retryText } from "../../shared/note.ts";
import { collect } from "./collect.ts";
import { evaluate } from "./evaluate.ts";
import type { Draft } from "./posting/draft.ts";
import { openResult } from "./result/open-result.ts";

/** Reserved at the end of the challenge window for the challenge itself, at most. */
const MARGIN_SECONDS = 60;

/** For a result whose window is over when it is first inspected. */
const LATE_SECONDS = 600;

/** `unknown`: nothing shows that the result is wrong, and it could not be measured. */
export interface Inspection {
  readonly finding: "good" | "wrong" | "unknown";
  readonly why: string;
}

/**
 * Judges a claimed result that no validator has measured. `good`: it opens, is what the provider committed to, and
 * passes the rule by the provider's measurement or, with a sandbox, by the requester's own. `wrong`: by the provider's
 * fault it does not. Trouble on this machine makes it `unknown`. Decided once.
 */
export function inspect(
  context: RoleContext,
  journal: JobJournal,
  { job, draft }: { job: Job; draft: Draft },
  options: Abortable,
): Promise<Inspection> {
  return journal.step("inspection", {
    prepare: async (): Promise<Inspection> => {
      const { signal } = options;
      const { market, reporter } = context;
      const [now, deadline] = [await market.now(options), job.deadline ?? Number.POSITIVE_INFINITY];
      // The node's time may be wrong: only the contract decides whether the window is over.
      const late = now >= deadline;
      const margin = Math.min(MARGIN_SECONDS, job.terms.windows.challenge / 4, (deadline - now) / 2);
      using clock = late
        ? chainDeadline(now + LATE_SECONDS, market, signal)
        : chainDeadline(deadline, market, signal, margin);
      const onRetry = (error: Error, pause: number) =>
        reporter.emit({ kind: "warn", text: retryText(error, pause) });
      try {
        return await retryTransient(() => examine(context, journal, job, draft, clock), onRetry, clock);
      } catch (error) {
        if (signal.aborted) throw error;
        if (clock.expired && journal.outcome("collect") === undefined)
          return wrong("it could not be fetched");
        if (clock.expired) return { finding: "unknown", why: "time ran out before it was measured" };
        if (isProvidersFault(error)) return wrong(error.message);
        throw error;
      }
    },
    act: (inspection) => inspection,
  });
}

async function examine(
  context: RoleContext,
  journal: JobJournal,
  job: Job,
  draft: Draft,
  options: Abortable,
): Promise<Inspection> {
  const home = jobFolder(context.jobsDir, "requester", job.id);
  const collected = await collect(context, journal, job, draft.spec.resources, options);
  if (collected.locator.kind === "failure")
    return wrong("its provider says that the run failed, and no validator has seen it fail");
  await rm(home.opened, { recursive: true, force: true });
  const { digest } = await openResult(
    context,
    journal,
    { job, draft, collected, into: home.opened },
    options,
  );
  const claimed = await claimedMeasurement(job, home.reportFiles);
  if (claimed && voteOf(job.terms, { digest, score: claimed.score }, claimed) !== "pass") {
    return wrong("it is not what its provider measured, or its score is too low");
  }
  const evaluates = context.sandbox !== undefined && job.terms.mode === "evaluate";
  const score = evaluates
    ? await evaluate(context, context.sandbox, journal, draft, options)
    : claimed?.score;
  await rm(home.opened, { recursive: true, force: true });
  if (score === undefined) return { finding: "unknown", why: "it could not be measured here" };
  if (voteOf(job.terms, { digest, score }, claimed ?? { digest, score }) === "pass") {
    return {
      finding: "good",
      why: evaluates ? "its score meets the rule" : "it is what its provider measured",
    };
  }
  return wrong("its score here is not what its provider reported, or does not meet the rule");
}

/** The provider's measurement, from its run report; undefined when that is missing or not what was committed to. */
async function claimedMeasurement(job: Job, folder: string): Promise<Measurement | undefined> {
  const text = await readFile(join(folder, "report.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const measurement = measurementOf(parseReport(text));
    const commitment = measurementCommitment(job.id, job.terms.provider, measurement);
    return commitment === job.submission?.measurementCommitment ? measurement : undefined;
  } catch (error) {
    if (isIchainError(error)) return undefined;
    throw error;
  }
}

function isProvidersFault(error: unknown): error is IchainError {
  return isIchainError(error) && (error.class === "untrusted" || error.code === "TRANSFER_FORBIDDEN");
}

const wrong = (why: string): Inspection => ({ finding: "wrong", why });
