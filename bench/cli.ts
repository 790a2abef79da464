// Time and memory of commands that people wait for: `--help`, `jobs` with many jobs, `providers` with many offers, and
// `status`, each a process of its own beside `node -e 0`. One JSON object last on stdout.
//
//   npm run -s bench:cli                                 1,000 jobs and 10,000 offers
//   npm run -s bench:cli -- --jobs 100 --offers 500
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Wallet } from "ethers";
import { deploy } from "../src/chain/deploy.ts";
import { importKey } from "../src/chain/wallet.ts";
import { startEvm } from "../src/devnet/evm/evm.ts";
import type { Address } from "../src/protocol/ids.ts";
import { nodeRun } from "../test/support/binary.ts";
import { fillJobs } from "./cli/fill-jobs.ts";
import { fillMarket } from "./market-index/fill.ts";

const ICHAIN = fileURLToPath(new URL("../bin/ichain.js", import.meta.url));
/** Prints the largest resident set of its process, KiB, when it ends. */
const GAUGE = new URL("./cli/gauge.mjs", import.meta.url).href;
const RUNS = 5;
const HELP_OVER_NODE = 1.6;

const { values } = parseArgs({
  options: { jobs: { type: "string", default: "1000" }, offers: { type: "string", default: "10000" } },
});
const [jobs, offers] = [Number(values.jobs), Number(values.offers)];
const home = await mkdtemp(join(tmpdir(), "ichain-bench-"));
const node = await startEvm({ client: "anvil", accounts: 1 });
try {
  const { privateKey } = node.accounts[0]!;
  const wallet = new Wallet(privateKey);
  const { chainId, ...contracts } = await deploy({ rpcUrl: node.rpcUrl, wallet });
  await fillMarket(node.rpcUrl, contracts, offers);
  const account = wallet.address as Address;
  await fillJobs(
    node.rpcUrl,
    contracts,
    { account, provider: Wallet.createRandom().address as Address },
    jobs,
  );
  await mkdir(join(home, "networks"));
  const network = { name: "bench", chainId, rpcUrl: node.rpcUrl, contracts, confirmations: 1 };
  await writeFile(join(home, "networks", "bench.yaml"), JSON.stringify(network));
  await writeFile(join(home, "config.yaml"), "network: bench\n");
  const { keystoreJson } = await importKey(privateKey, "bench password", { light: true });
  await writeFile(join(home, "keystore.json"), keystoreJson);

  const ichain = (...args: string[]) => measure([ICHAIN, ...args]);
  // The first listing reads the whole index from the chain.
  const first = await once([ICHAIN, "providers", "--json"]);
  const listed = (JSON.parse(first.stdout) as { providers: unknown[] }).providers.length;
  const known = (JSON.parse((await once([ICHAIN, "jobs", "--json"])).stdout) as { jobs: unknown[] }).jobs
    .length;
  if (listed !== offers || known !== jobs) throw new RangeError(`found ${listed} offers and ${known} jobs`);
  const empty = await measure(["-e", "0"]);
  const help = await ichain("--help");
  const ratio = await helpOverNode();
  const commands = {
    help,
    jobs: await ichain("jobs"),
    providers: await ichain("providers"),
    status: await ichain("status"),
  };
  const load = round(loadavg()[0]!);
  const firstListing = { seconds: first.seconds, rss_MiB: first.rss_MiB };
  const limits = { help_over_node: HELP_OVER_NODE };
  const figures = { node: empty, commands, firstListing, help_over_node: ratio, limits };
  console.log(JSON.stringify({ bench: "cli", load, runs: RUNS, jobs, offers, ...figures }));
  process.exitCode = ratio <= HELP_OVER_NODE ? 0 : 1;
} finally {
  await node.stop();
  await rm(home, { recursive: true, force: true });
}

interface Figures {
  readonly seconds: number;
  readonly rss_MiB: number;
}

/** Ratio of medians of runs that alternate, so that both meet the same load. */
async function helpOverNode(): Promise<number> {
  const [help, empty]: [number[], number[]] = [[], []];
  for (let i = 0; i < 5 * RUNS; i++) {
    help.push((await once([ICHAIN, "--help"], false)).seconds);
    empty.push((await once(["-e", "0"], false)).seconds);
  }
  const middle = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[all.length >> 1]!;
  return round(middle(help) / middle(empty));
}

/** Medians of `RUNS` runs, after one that warms the disk cache; memory is of a run of its own, which loads the gauge. */
async function measure(args: readonly string[]): Promise<Figures> {
  await once(args);
  const seconds: number[] = [];
  for (let i = 0; i < RUNS; i++) seconds.push((await once(args, false)).seconds);
  const { rss_MiB } = await once(args);
  return { seconds: seconds.toSorted((a, b) => a - b)[RUNS >> 1]!, rss_MiB };
}

/** Runs one process to its end. `status` says with its exit code that no daemon runs. */
async function once(args: readonly string[], gauge = true): Promise<Figures & { stdout: string }> {
  const began = performance.now();
  const preload = gauge ? ["--import", GAUGE] : [];
  const { code, stdout, stderr } = await nodeRun([...preload, ...args], {
    ...process.env,
    ICHAIN_HOME: home,
  });
  const seconds = round((performance.now() - began) / 1000);
  const peak = /maxrss=(\d+)/.exec(stderr)?.[1];
  if (code !== 0 && !args.includes("status")) throw new RangeError(stderr.slice(0, 2000));
  return { stdout, seconds, rss_MiB: Math.round(Number(peak ?? 0) / 1024) };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
