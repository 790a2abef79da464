import { lstat, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { isIchainError } from "../../../errors/error.ts";
import type { FederatedJob } from "../../../protocol/federated/market/job.ts";
import { federatedPriceOf } from "../../../protocol/federated/market/terms.ts";
import type { JobId } from "../../../protocol/ids.ts";
import type { Job } from "../../../protocol/job/job.ts";
import { neutraliseLine } from "../../../protocol/neutralise.ts";
import type { ClosedRound } from "../../../roles/federated/market/requester/round/books.ts";
import { draftOf } from "../../../roles/job/requester/posting/draft.ts";
import { resultContents } from "../../../roles/job/requester/result/contents.ts";
import { retrievalOf } from "../../../roles/job/requester/result/retrieval.ts";
import { money } from "../../../ui/format.ts";
import { route, type WebRoute } from "../../../web/endpoint.ts";
import { roundData } from "../../job/federated/round-table.ts";
import { federatedData, federatedIdOf, federatedRows, federatedToken } from "../../job/federated/view.ts";
import { contentsText } from "../../steps/contents.ts";
import { fromRecords, readLinks } from "../../steps/records.ts";
import { readTokens } from "../../steps/tokens.ts";
import { fixed, isFailedRun, jobRows } from "../../steps/view.ts";
import { jobsApi } from "../api/jobs.ts";
import { runCommand } from "../context.ts";
import type { PageContext } from "../page.ts";
import { jobRow, totals } from "../rows.ts";

/** Files of a result that are listed. */
const MAX_FILES = 500;

/** The account's jobs, and one of them. */
export function jobRoutes(page: PageContext): readonly WebRoute[] {
  const { context, market, account, board } = page;
  return [
    route(jobsApi.jobs, async (_, options) => {
      const jobs = board.own();
      const federated = await federatedOf(page, options);
      const paidIn = [...jobs, ...federated].map(({ terms }) => terms.token);
      const tokens = await readTokens(context, market, paidIn, options);
      const named = await withNames(page, jobs);
      return {
        now: await market.now(options),
        totals: totals(jobs, account, tokens),
        jobs: named.map(({ job, name }) => ({ ...jobRow(job, account, tokens), name })),
        federated: federated.map((job) => federatedData(job, account, tokens(job.terms.token))),
      };
    }),
    route(jobsApi.job, async ({ id }, options) => {
      const federated = await federatedIdOf(market, id, options.signal);
      return federated === undefined ? oneJob(page, id, options) : oneFederated(page, federated, options);
    }),
  ];
}

async function oneJob(page: PageContext, id: string, options: { signal: AbortSignal }) {
  const { context, market, account, reports } = page;
  const job = await market.job(await market.resolveJob(id, options), options);
  const now = await market.now(options);
  const tokens = await readTokens(context, market, [job.terms.token], options);
  const links = (await readLinks(context, [job.id]))(job.id);
  const why = await runCommand(context, "why", { args: { id: job.id } });
  return {
    kind: "job" as const,
    now,
    ...jobRow(job, account, tokens),
    name: (await withNames(page, [job]))[0]?.name,
    links,
    rows: jobRows(job, now, tokens, links),
    reason: job.reason === undefined ? undefined : neutraliseLine(job.reason),
    why: why.text,
    measured: measured(job),
    parties: { requester: job.terms.requester, provider: job.terms.provider },
    reports: reports.of(job.id),
    result: await resultOf(page, job.id, options),
    isKeyKnown: job.blindedKey !== undefined,
    isRated: job.providerScore !== undefined,
  };
}

/** Jobs with the names that this home gave them. */
async function withNames({ context, names }: PageContext, jobs: readonly Job[]) {
  const unknown = jobs.filter(({ id }) => !names.has(id));
  if (unknown.length > 0)
    await fromRecords(context, (journal) => {
      const known = new Set(journal.undertakings({ role: "requester" }).map(({ key }) => key));
      for (const { id } of unknown) {
        const name = known.has(id) ? draftOf(journal.open("requester", id))?.spec.name : undefined;
        names.set(id, name === undefined ? "" : neutraliseLine(name));
      }
    });
  return jobs.map((job) => ({ job, name: names.get(job.id) ?? "" }));
}

/** Each measurement of the metric, turned so that larger is better. */
function measured({ providerMeasurement, validations, ...job }: Job) {
  const score = (of: Job["providerMeasurement"]) => (of === undefined ? undefined : fixed(of.score));
  const failed = isFailedRun({ providerMeasurement, validations, ...job });
  return {
    threshold: fixed(job.terms.threshold),
    failed,
    provider: failed ? undefined : score(providerMeasurement),
    validators: validations.map(({ validator, measurement, abstained, commitment }) => ({
      ...{ validator, abstained, committed: commitment !== undefined, score: score(measurement) },
    })),
  };
}

/** What was opened of the job's result, where it lies; undefined where it was not, or is gone. */
async function resultOf({ context }: PageContext, id: JobId, options: { signal: AbortSignal }) {
  const got = await fromRecords(context, (journal) =>
    journal.find("requester", id) === undefined ? undefined : retrievalOf(journal.open("requester", id)),
  );
  if (got === undefined) return undefined;
  const { folder } = got;
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted()
    .slice(0, MAX_FILES);
  const files = await Promise.all(
    paths.map(async (path) => ({
      ...{ path: neutraliseLine(path), bytes: (await lstat(join(folder, path))).size },
    })),
  );
  const contents = await resultContents(folder, paths, options).catch((error: unknown) => {
    if (!isIchainError(error)) throw error;
    return undefined;
  });
  return { folder, files, contents: contents ? contentsText(contents) : [] };
}

async function federatedOf(
  { market, account }: PageContext,
  options: { signal: AbortSignal },
): Promise<readonly FederatedJob[]> {
  const lists = await Promise.all([
    market.federatedJobs({ requester: account }, options),
    market.federatedJobs({ provider: account }, options),
  ]);
  return lists.flat().toSorted((a, b) => b.block - a.block);
}

/** With what the rounds were, where this home leads the job: the chain has only their models. */
async function oneFederated(page: PageContext, id: JobId, options: { signal: AbortSignal }) {
  const { context, market, account, reports } = page;
  const job = await market.federatedJob(id, options);
  const token = await federatedToken(context, market, job);
  const why = await runCommand(context, "why", { args: { id } });
  const closed =
    (await fromRecords(context, (journal) =>
      journal.find("federated-requester", id) === undefined
        ? []
        : job.closings.map((_, at) =>
            journal.open("federated-requester", id).outcome<ClosedRound>(`closing-${at + 1}`),
          ),
    )) ?? [];
  const rounds = closed.flatMap((one) => (one === undefined ? [] : [roundData(id, one)]));
  const { state, deadline, terms } = job;
  return {
    now: await market.now(options),
    ...federatedData(job, account, token),
    price: money(federatedPriceOf(terms), token),
    final: state === "Ended",
    ...{ jobId: id, state, deadline, rows: federatedRows(job, token), why: why.text },
    ...{ closed: job.closings.length, of: terms.rounds, rounds },
    reports: reports.of(id),
  };
}
