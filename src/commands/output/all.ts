import { z } from "zod";
import * as account from "./account.ts";
import * as job from "./job.ts";
import * as market from "./market.ts";
import * as trial from "./trial.ts";
import * as work from "./work.ts";

/**
 * Version of all `--json` outputs. Within a version fields are only added; one that goes, or means something else,
 * makes a new version.
 */
export const OUTPUT_VERSION = 1;

/** What a failing command prints with --json, whatever the command; the exit code is its class's. */
export const errorOutput = z.strictObject({
  error: z.strictObject({
    code: z.string().describe("stable (docs/reference/errors.md)"),
    message: z.string(),
    hint: z.string(),
    retryable: z.boolean(),
    details: z.record(z.string(), z.unknown()),
  }),
});

/** Lines of JSON that each command prints on stdout with --json, by its name in the tables. */
export const outputs: Readonly<Record<string, z.ZodType>> = {
  init: account.init,
  doctor: account.doctor,
  completion: account.completion,
  "wallet create": account.wallet,
  "wallet import": account.wallet,
  "wallet address": account.walletAddress,
  "wallet balance": account.balance,
  "journal repair": account.journalRepair,
  quote: market.quote,
  providers: market.providers,
  submit: job.submit,
  resume: job.resume,
  get: job.get,
  cancel: job.posted,
  challenge: job.bond,
  appeal: job.bond,
  rate: job.rated,
  jobs: job.jobs,
  job: job.job,
  watch: job.job,
  logs: job.log,
  why: job.why,
  provide: work.ready,
  validate: work.ready,
  "stake status": work.stake,
  "stake deposit": work.stake,
  "stake withdraw": work.stake,
  "stake collect": work.stake,
  "policy test": work.policyTest,
  "runtime list": work.runtimes,
  "runtime build": work.runtimeBuilt,
  "runtime check": work.runtimeChecks,
  devnet: trial.devnet,
  demo: trial.demo,
};
