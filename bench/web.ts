// How fast the page of `ichain web` is there and can be used, in real Chromium, with many jobs and offers, and whether it
// grows: the first paint, the list of jobs, the first offers, the pools; then a job a second for some minutes. One JSON
// object last on stdout.
//
//   npm run -s bench:web                                 1,000 jobs and 10,000 offers
//   npm run -s bench:web -- --minutes 60                 and an hour of new jobs
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Wallet } from "ethers";
import type { Page } from "playwright-core";
import { deploy } from "../src/chain/deploy.ts";
import { importKey } from "../src/chain/wallet.ts";
import { startEvm } from "../src/devnet/evm/evm.ts";
import type { Address } from "../src/protocol/ids.ts";
import { linkOf, openBrowser, openTab } from "../test/support/web/browser.ts";
import { fillJobs } from "./cli/fill-jobs.ts";
import { fillMarket } from "./market-index/fill.ts";

const ICHAIN = fileURLToPath(new URL("../bin/ichain.js", import.meta.url));
const RUNS = 5;
const LIMITS = { paint_ms: 300, interactive_ms: 1000 };
const WAIT_MS = 120_000;

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "1000" },
    offers: { type: "string", default: "10000" },
    minutes: { type: "string", default: "0" },
  },
});
const [jobs, offers, minutes] = [Number(values.jobs), Number(values.offers), Number(values.minutes)];
const home = await mkdtemp(join(tmpdir(), "ichain-bench-"));
const node = await startEvm({ client: "anvil", accounts: 1 });
const ends: (() => unknown)[] = [];
try {
  const { privateKey } = node.accounts[0]!;
  const wallet = new Wallet(privateKey);
  const { chainId, ...contracts } = await deploy({ rpcUrl: node.rpcUrl, wallet });
  await fillMarket(node.rpcUrl, contracts, offers);
  const parties = { account: wallet.address as Address, provider: Wallet.createRandom().address as Address };
  await fillJobs(node.rpcUrl, contracts, parties, jobs);
  await mkdir(join(home, "networks"));
  const network = { name: "bench", chainId, rpcUrl: node.rpcUrl, contracts, confirmations: 1 };
  await writeFile(join(home, "networks", "bench.yaml"), JSON.stringify(network));
  await writeFile(join(home, "config.yaml"), "network: bench\n");
  const { keystoreJson } = await importKey(privateKey, "bench password", { light: true });
  await writeFile(join(home, "keystore.json"), keystoreJson);

  const first = await started();
  first.child.kill("SIGINT");
  await once(first.child, "exit");
  const web = await started();
  const browser = await openBrowser({ after: (end) => ends.push(end as () => unknown) });
  const page = await openTab(browser);
  page.setDefaultTimeout(WAIT_MS);
  const cold = await opened(page, web.link);
  const warm: Awaited<ReturnType<typeof opened>>[] = [];
  for (let run = 0; run < RUNS; run++) warm.push(await opened(page, new URL("/#/jobs", web.link).href));
  const paint = median(warm.map(({ paint_ms }) => paint_ms));
  const interactive = median(warm.map(({ interactive_ms }) => interactive_ms));
  const before = await processorSeconds(web.child);
  const firstOffers = await view(page, "offers", "50");
  const ranking = round((await processorSeconds(web.child)) - before);
  const laterOffers = await view(page, "offers", "50");
  const pools = await view(page, "pools", "50");
  await view(page, "jobs", "100");
  const memory = minutes > 0 ? await grown(page, web.child) : undefined;
  const figures = {
    start_s: { first: first.seconds, later: web.seconds },
    cold,
    paint_ms: paint,
    interactive_ms: interactive,
    offers_ms: { first: firstOffers, later: laterOffers, processor_s: ranking },
    pools_ms: pools,
    rss_MiB: await residentMiB(web.child),
    complaints: page.complaints.length,
    memory,
  };
  const load = round(loadavg()[0]!);
  console.log(JSON.stringify({ bench: "web", load, runs: RUNS, jobs, offers, ...figures, limits: LIMITS }));
  process.exitCode = paint <= LIMITS.paint_ms && interactive <= LIMITS.interactive_ms ? 0 : 1;

  /** A new job each second, of this account: the page and its server follow. */
  async function grown(page: Page, child: ChildProcess) {
    const session = await page.context().newCDPSession(page);
    const sample = async () => {
      await session.send("HeapProfiler.collectGarbage");
      const { usedSize } = await session.send("Runtime.getHeapUsage");
      return { page_MiB: round(usedSize / 2 ** 20), server_MiB: await residentMiB(child) };
    };
    const until = performance.now() + minutes * 60_000;
    const samples = [await sample()];
    let next = performance.now() + 60_000;
    while (performance.now() < until) {
      await fillJobs(node.rpcUrl, contracts, parties, 1);
      await delay(1_000);
      if (performance.now() < next) continue;
      next += 60_000;
      samples.push(await sample());
    }
    return { minutes, samples };
  }
} finally {
  for (const end of ends.toReversed()) await end();
  await node.stop();
  await rm(home, { recursive: true, force: true });
}

/** `ichain web`, and how long it took to its link. */
async function started() {
  const begin = performance.now();
  const child = spawn(process.execPath, [ICHAIN, "web", "--json"], {
    env: { PATH: process.env.PATH ?? "", ICHAIN_HOME: home, CI: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  ends.push(() => child.kill("SIGKILL"));
  const link = await linkOf(child);
  return { child, link, seconds: round((performance.now() - begin) / 1000) };
}

/** Loads the page afresh: to the first paint, and to where a click on a filled list is answered. */
async function opened(page: Page, url: string) {
  await page.goto("about:blank");
  const begin = performance.now();
  await page.goto(url);
  await page.getByRole("rowheader").first().waitFor();
  await page.getByRole("radio", { name: `All (${jobs})` }).click();
  const interactive_ms = round(performance.now() - begin);
  const paint_ms = round(
    Number(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")),
  );
  return { paint_ms, interactive_ms };
}

/** Milliseconds from a click on a view to so many rows. */
async function view(page: Page, name: string, rows: string): Promise<number> {
  const begin = performance.now();
  await page.locator(`nav a[href="#/${name}"]`).click();
  await page.locator(`tbody tr:nth-child(${rows})`).first().waitFor();
  return round(performance.now() - begin);
}

async function residentMiB({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

/** Of all threads, in hundredths. */
async function processorSeconds({ pid }: ChildProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
