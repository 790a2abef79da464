import type { JobRole } from "../../ports/journal.ts";
import { amountText } from "../../protocol/amounts.ts";
import { sameAddress } from "../../protocol/ids.ts";
import type { Job } from "../../protocol/job/job.ts";
import type { Measurement } from "../../protocol/job/measurement.ts";
import { isFinal } from "../../protocol/job/state.ts";
import { WHOLE } from "../../protocol/job/terms.ts";
import { FAILED_RUN } from "../../protocol/task/judgement.ts";
import type { Links } from "../../roles/job/requester/successors/go-on.ts";
import { coin, duration, instant, money } from "../../ui/format.ts";
import type { Tokens } from "./tokens.ts";

/** The role of `account` in `job`; undefined for an onlooker. */
export function roleIn(job: Job, account: string | undefined): JobRole | undefined {
  if (account === undefined) return undefined;
  if (sameAddress(job.terms.requester, account)) return "requester";
  if (sameAddress(job.terms.provider, account)) return "provider";
  return job.validations.some((each) => sameAddress(each.validator, account)) ? "validator" : undefined;
}

/** `in 3 min 5 s`, `2 min ago`, or `-` for a job that waits for nothing. */
export function due(job: Job, now: number): string {
  if (job.deadline === undefined) return "-";
  const left = job.deadline - now;
  return left >= 0 ? `in ${duration(left)}` : `${duration(-left)} ago`;
}

/** A job as `--json` shows it: stable names, amounts as decimal strings, nothing sealed. */
export function jobData(job: Job, account: string | undefined, tokens: Tokens, links: Links = {}): object {
  const { id, state, verdict, terms, deadline, reason, paid, validations, providerMeasurement, submission } =
    job;
  return {
    jobId: id,
    state,
    final: isFinal(state),
    verdict,
    role: roleIn(job, account),
    ...linksData(links),
    deadline,
    reason,
    paid,
    token: tokens(terms.token),
    terms,
    resultRoot: submission?.resultRoot,
    providerMeasurement: shown(providerMeasurement),
    validations: validations.map(({ validator, commitment, measurement, abstained }) => ({
      validator,
      committed: commitment !== undefined,
      measurement: shown(measurement),
      abstained,
    })),
  };
}

/** The same of the jobs before and after it. */
export const linksData = ({ previous, next }: Links): object => ({
  ...(previous && { previousJob: previous }),
  ...(next && { nextJob: next }),
});

const shown = (measurement: Measurement | undefined): object | undefined =>
  measurement && {
    digest: measurement.digest,
    score: fixed(measurement.score),
    ...(measurement.digest === FAILED_RUN ? { failed: true } : {}),
  };

/** Whether the provider of a job said that its run failed, as far as its measurement is known. */
export const isFailedRun = ({ providerMeasurement }: Job): boolean =>
  providerMeasurement?.digest === FAILED_RUN;

/** A job as lines of `name  value` for people. */
export function jobRows(
  job: Job,
  now: number,
  tokens: Tokens,
  { previous, next }: Links = {},
): [string, string][] {
  const { terms } = job;
  const token = tokens(terms.token);
  const rows: [string, string][] = [
    ["job", job.id],
    ["state", job.state],
    ["verdict", job.verdict],
    ["requester", terms.requester],
    ["provider", terms.provider],
    ["price", money(terms.price, token)],
    ["validator fee", `${money(terms.validatorFee, token)} each`],
    ["stake at risk", `${coin(terms.providerStake)} provider, ${coin(terms.validatorStake)} validator`],
    ["if unmet", `${percent(terms.effort)} of the price`],
    ["if stopped", `${percent(terms.stop.floor)} to ${percent(terms.stop.cap)} of the price`],
    ["judged by", `${terms.mode}, tolerance ${fixed(terms.tolerance)}, threshold ${fixed(terms.threshold)}`],
  ];
  if (previous) rows.push(["in place of", previous]);
  if (next) rows.push(["goes on as", next]);
  if (job.deadline !== undefined) rows.push(["deadline", `${instant(job.deadline)} (${due(job, now)})`]);
  if (job.providerMeasurement) rows.push(["measured", `${finding(job.providerMeasurement)} by the provider`]);
  for (const { validator, measurement, abstained, commitment } of job.validations) {
    const stand = abstained
      ? "abstained"
      : measurement
        ? `measured ${finding(measurement)}`
        : commitment
          ? "committed"
          : "appointed";
    rows.push(["validator", `${validator} ${stand}`]);
  }
  return rows;
}

const finding = ({ digest, score }: Measurement): string =>
  digest === FAILED_RUN ? "a failed run" : fixed(score);

/** A share in parts of `WHOLE`, for people. */
const percent = (share: number): string => `${(share * 100) / WHOLE} %`;

/** A fixed-point number of 1e-9 units, exact. */
export function fixed(value: bigint): string {
  return amountText(value, 9);
}
