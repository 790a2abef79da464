import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Abortable } from "../../async/abort.ts";
import { openReader, openRecords } from "../../compose.ts";
import { startChild } from "../../devnet/child.ts";
import { type Devnet, startDevnet } from "../../devnet/devnet.ts";
import { asOwnerOf } from "../../devnet/homes.ts";
import { costOf } from "../../devnet/ledger.ts";
import type { FederatedMisbehaviour } from "../../devnet/misbehave-federated.ts";
import {
  BlockClock,
  between,
  followFirstJob,
  seconds,
  statesOf,
  type Timeline,
} from "../../devnet/timeline.ts";
import { IchainError } from "../../errors/error.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Market } from "../../ports/market.ts";
import { shortId } from "../../protocol/ids.ts";
import { fromScore } from "../../protocol/task/metric.ts";
import type { Collected } from "../../roles/job/requester/collect.ts";
import { draftOf } from "../../roles/job/requester/posting/draft.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { loadJobFile } from "../steps/job-file.ts";
import { demoCampaign } from "./campaign.ts";
import { demoFederated } from "./federated.ts";
import { demoGossip } from "./gossip.ts";

interface Options {
  readonly out?: string;
  readonly job?: string;
  readonly federated?: true;
  readonly bad?: readonly FederatedMisbehaviour[];
  readonly validators?: number;
  readonly gossip?: true;
  readonly campaign?: true;
  readonly direct?: true;
}

const SCORE = 5;
const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** A whole job on a market of its own: three roles in three processes, from `submit` to `rate`. */
export async function run(context: CommandContext, _args: object, options: Options): Promise<void> {
  const { ui, signal, config } = context;
  if (options.gossip) return await demoGossip(context, options);
  if (options.campaign) return await demoCampaign(context, options);
  if (options.direct)
    throw new IchainError("USAGE", "--direct is for --gossip and --campaign.", { hint: "Add one of them." });
  if (options.federated) return await demoFederated(context, options);
  if (options.bad !== undefined) throw onlyFederated("--bad");
  if (options.validators !== undefined) throw onlyFederated("--validators");
  const jobFile = options.job ?? fromRoot("examples/digits/job.yaml");
  const out = resolve(options.out ?? `ichain-demo-${Date.now()}`);
  const begun = performance.now();
  const devnet = await startDevnet({ providers: 1, validators: 1, reporter: ui.reporter, signal });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => devnet.stop());
  const market = stack.adopt(
    await openReader({
      config: {
        ...config,
        network: devnet.network,
        paths: { ...config.paths, index: join(devnet.dir, "index.db") },
      },
      ui,
      signal,
    }),
    (one) => one.stop(),
  );
  const ready = performance.now();
  const { file } = await loadJobFile(jobFile, { tokens: devnet.network.tokens });

  const ichain = (name: string, ...argv: string[]) => runCli(devnet, name, argv, signal);
  const clock = stack.use(new BlockClock(devnet.network.rpcUrl));
  const [submitted, job] = await Promise.all([
    ichain("submit", jobFile, "--provider", "best", "--validator", "best", "--wait", "--out", out),
    followFirstJob(
      market,
      devnet.requester.account,
      ({ id, state }) => ui.reporter.emit({ kind: "info", text: `Job ${shortId(id)} is ${state}` }),
      { signal },
    ),
  ]);
  const opened = performance.now();
  const timeline = { job, at: await statesOf(devnet.network, job.id, clock) };
  await ichain("rate", shortId(job.id), String(SCORE));

  const paths = { ...config.paths, journal: join(devnet.requester.dir, "journal.db") };
  const records = stack.adopt(await openRecords({ config: { ...config, paths } }), (one) => one.close());
  const summary = await summarise({ devnet, market, records }, timeline, { signal });
  const { metric, goal } = file.verification;
  const score = job.validations[0]?.measurement?.score;
  const data = {
    jobId: job.id,
    state: job.state,
    verdict: job.verdict,
    metric: { name: metric, value: score === undefined ? null : fromScore(score, goal) },
    ...summary,
    folder: out,
    files: submitted.files,
    seconds: {
      total: seconds(performance.now() - begun),
      devnet: seconds(ready - begun),
      ...phases(timeline, ready, opened),
    },
  };
  ui.print(data, () => describe(data));
}

function onlyFederated(flag: string): IchainError {
  return new IchainError("USAGE", `${flag} is for --federated.`, {
    hint: "Add --federated, or try a cheat on an ordinary job with `ichain devnet --bad`.",
  });
}

type Facts = Awaited<ReturnType<typeof summarise>>;

/** What the market itself says of the job once it is rated. */
async function summarise(
  { devnet, market, records }: { devnet: Devnet; market: Market; records: Journal },
  { job }: Timeline,
  abortOptions: Abortable,
) {
  // The parcels themselves are removed once they are of no more use.
  const written = records.open("requester", job.id);
  const bytes = {
    bundle: draftOf(written)?.bundle.size,
    result: written.outcome<Collected>("collect")?.result.size,
  };
  let rating = await market.offer(job.terms.provider, abortOptions);
  while (rating && rating.ratingAsProvider.count === 0)
    rating = await market.offer(job.terms.provider, abortOptions);
  return {
    rating: rating && {
      score: SCORE,
      count: rating.ratingAsProvider.count,
      sum: rating.ratingAsProvider.sum,
    },
    ...(await costOf(devnet.network, job.id)),
    transport: "onion" as const,
    engine: "docker" as const,
    tier: rating?.details.tier,
    bytes,
  };
}

/**
 * Where the time between `submit` and the opened result went; each phase ends when the chain says so. One that a
 * job has not been through, as those without validators, is left out.
 */
function phases(timeline: Timeline, submitted: number, opened: number) {
  const { at } = timeline;
  return {
    hosted: seconds((at.get("Posted") ?? submitted) - submitted),
    fetched: between(timeline, "Posted", "Accepted"),
    ran: between(timeline, "Accepted", "Submitted"),
    collected: between(timeline, "Submitted", "Validating"),
    validated: between(timeline, "Validating", "Validated"),
    claimed: between(timeline, "Validated", "Settled"),
    got: seconds(opened - (at.get("Settled") ?? opened)),
  };
}

/** One `ichain` command in a process of its own, as the devnet's requester; its JSON result. */
async function runCli(devnet: Devnet, name: string, argv: readonly string[], signal: AbortSignal) {
  const child = startChild({
    name: `ichain ${name}`,
    argv: [fromRoot("bin/ichain.js"), name, ...argv, "--json"],
    env: asOwnerOf(devnet.requester),
    log: join(devnet.dir, "requester.log"),
  });
  try {
    return await child.line((line) => "jobId" in line, { signal });
  } finally {
    await child.stop();
  }
}

function describe(
  data: Facts & { folder: string; metric: { name: string; value: number | null }; seconds: object },
): string {
  const parts = Object.entries(data.seconds as Record<string, number | undefined>).flatMap(([name, time]) =>
    time === undefined ? [] : [`${name} ${time.toFixed(1)} s`],
  );
  return [
    `The job is settled and rated: ${data.metric.name} ${data.metric.value}, confirmed by a validator.`,
    `${data.txs} transactions, ${data.gas} gas; ${data.bytes.bundle} bytes out, ${data.bytes.result} bytes back, over Tor.`,
    `Time: ${parts.join(", ")}.`,
    `The trained model lies in ${data.folder}`,
  ].join("\n");
}
