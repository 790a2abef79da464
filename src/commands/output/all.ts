import { z } from "zod";
import * as account from "./account.ts";
import * as campaign from "./campaign.ts";
import * as daemon from "./daemon.ts";
import * as content from "./data/content.ts";
import * as improve from "./data/improve.ts";
import * as versions from "./data/versions.ts";
import * as federated from "./federated.ts";
import * as gossip from "./gossip.ts";
import * as job from "./job.ts";
import * as market from "./market.ts";
import { newOutput, runOutput } from "./run.ts";
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
export const outputs = {
  init: account.initOutput,
  doctor: account.doctorOutput,
  completion: account.completionOutput,
  update: account.updateOutput,
  backup: account.backupOutput,
  restore: account.restoreOutput,
  "wallet create": account.walletOutput,
  "wallet import": account.walletOutput,
  "wallet address": account.walletAddressOutput,
  "wallet balance": account.balanceOutput,
  "wallet withdraw": account.walletWithdrawOutput,
  "network list": account.networkListOutput,
  "network add": account.networkAddOutput,
  "network deploy": account.networkDeployOutput,
  "journal repair": account.journalRepairOutput,
  quote: market.quoteOutput,
  providers: market.providersOutput,
  submit: job.submitOutput,
  new: newOutput,
  run: runOutput,
  serve: work.servingOutput,
  resume: job.resumeOutput,
  get: job.getOutput,
  cancel: job.postedOutput,
  stop: daemon.stopOutput,
  challenge: z.union([job.bondOutput, federated.federatedBondOutput]),
  appeal: z.union([job.bondOutput, federated.federatedBondOutput]),
  rate: job.ratedOutput,
  jobs: job.jobsOutput,
  job: z.union([job.jobOutput, federated.federatedJobOutput]),
  watch: z.union([job.jobOutput, ...federated.federatedOutputs.watch, campaign.dataOutputs.show]),
  logs: job.logOutput,
  why: z.union([job.whyOutput, federated.federatedWhyOutput, campaign.dataOutputs.why]),
  "data open": campaign.dataOutputs.open,
  "data key": campaign.dataOutputs.key,
  "data list": campaign.dataOutputs.list,
  "data show": campaign.dataOutputs.show,
  "data get": z.union([campaign.dataOutputs.get, versions.modelOutput]),
  "data add": campaign.dataOutputs.add,
  "data fix": campaign.dataOutputs.fix,
  "data judge": campaign.dataOutputs.judge,
  "data appeal": campaign.dataOutputs.appeal,
  "data take": campaign.dataOutputs.settle,
  "data refund": campaign.dataOutputs.settle,
  "data reveal": campaign.dataOutputs.reveal,
  "data close": campaign.dataOutputs.close,
  "improve open": improve.improveOutputs.open,
  "improve list": improve.improveOutputs.list,
  "improve show": improve.improveOutputs.show,
  "improve stake": improve.improveOutputs.stake,
  "improve vote": improve.improveOutputs.vote,
  "improve take": improve.improveOutputs.take,
  provide: work.readyOutput,
  validate: work.readyOutput,
  benchmark: work.benchmarkOutput,
  "stake status": work.stakeOutput,
  "stake deposit": work.stakeChangeOutput,
  "stake withdraw": work.stakeChangeOutput,
  "stake collect": work.stakeChangeOutput,
  "owner show": work.ownerOutput,
  "owner offer": work.ownerChangeOutput,
  "owner accept": work.ownerChangeOutput,
  "owner payee": work.ownerChangeOutput,
  "policy test": work.policyTestOutput,
  "image digest": work.imageNameOutput,
  "image push": work.imageNameOutput,
  "runtime list": work.runtimesOutput,
  "runtime build": work.runtimeBuiltOutput,
  "runtime check": work.runtimeChecksOutput,
  status: daemon.statusOutput,
  drain: daemon.toldOutput,
  reload: daemon.toldOutput,
  web: daemon.webOutput,
  earnings: daemon.earningsOutput,
  "support-bundle": daemon.supportBundleOutput,
  devnet: trial.devnetOutput,
  "devnet fund": trial.devnetFundOutput,
  demo: trial.demoOutput,
  simulate: z.union([federated.simulateOutput, campaign.campaignDayOutput, campaign.campaignEndOutput]),
  trace: federated.traceOutput,
  verify: federated.verifyOutput,
  "gossip simulate": gossip.gossipSimulateOutput,
  "gossip run": gossip.gossipRunOutput,
  "gossip address": gossip.gossipAddressOutput,
  "gossip verify": gossip.gossipVerifyOutput,
  "gossip show": gossip.gossipShowOutput,
  "gossip export": gossip.gossipExportOutput,
  "gossip settle": gossip.gossipSettleOutput,
  "data cid": content.contentOutput,
  "data export": content.contentWrittenOutput,
  "data import": content.contentOutput,
  "data fetch": content.contentFetchedOutput,
  "data serve": content.contentServingOutput,
  "gossip pool": gossip.gossipPoolOutput,
  "gossip enlist": gossip.gossipEnlistOutput,
  "data train": versions.trainOutput,
  "data versions": versions.versionsOutput,
} as const satisfies Readonly<Record<string, z.ZodType>>;

/** A command by its name in the tables: `submit`, `wallet balance`. */
export type CommandName = keyof typeof outputs;

/** What a command prints with `--json`, parsed: amounts are bigints. */
export type OutputOf<Name extends CommandName> = z.output<(typeof outputs)[Name]>;
