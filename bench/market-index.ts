// Lists a market of many offers, first with an empty index and then with a complete one, each in a process of its own,
// and through the command line. One JSON object on stdout.
//
//   npm run -s bench:index                  1,000 and 10,000 offers
//   npm run -s bench:index -- --offers 500
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { Wallet } from "ethers";
import { deploy } from "../src/chain/deploy.ts";
import { startEvm } from "../src/devnet/evm/evm.ts";
import { fillMarket } from "./market-index/fill.ts";

const CHILD = fileURLToPath(new URL("./market-index/child.ts", import.meta.url));
const ICHAIN = fileURLToPath(new URL("../bin/ichain.js", import.meta.url));
const LIMITS = { warm_seconds: 1, first_over_idle_MiB: 256 };
/** Limit of the heap, for any number of offers: beyond it the listing fails. */
const HEAP_MiB = 64;
const run = promisify(execFile);

interface Listing {
  readonly offers: number;
  readonly rated: number;
  readonly seconds: number;
  readonly rss_MiB: number;
  readonly over_idle_MiB: number;
}

const { values } = parseArgs({ options: { offers: { type: "string", default: "1000,10000" } } });
const folder = await mkdtemp(join(tmpdir(), "ichain-bench-"));
try {
  const runs = [];
  for (const offers of values.offers.split(",").map(Number)) runs.push(await measure(offers));
  console.log(
    JSON.stringify({ bench: "index", load: round(loadavg()[0]!), runs, heap_MiB: HEAP_MiB, limits: LIMITS }),
  );
  const fast = runs.every(({ warm }) => warm.seconds < LIMITS.warm_seconds);
  const small = runs.every(({ first }) => first.over_idle_MiB < LIMITS.first_over_idle_MiB);
  process.exitCode = fast && small ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(offers: number) {
  const node = await startEvm({ client: "anvil", accounts: 1 });
  try {
    const wallet = new Wallet(node.accounts[0]!.privateKey);
    const { chainId, ...addresses } = await deploy({ rpcUrl: node.rpcUrl, wallet });
    const began = performance.now();
    await fillMarket(node.rpcUrl, addresses, offers);
    const filled = (performance.now() - began) / 1000;
    const home = join(folder, String(offers));
    const database = join(home, "index.db");
    const list = async (): Promise<Listing> => {
      const options = { rpcUrl: node.rpcUrl, chainId, addresses, database };
      const { stdout } = await run(process.execPath, [
        `--max-old-space-size=${HEAP_MiB}`,
        CHILD,
        JSON.stringify({ options }),
      ]);
      return JSON.parse(stdout);
    };
    const first = await list();
    const warm = [await list(), await list(), await list()].sort((a, b) => a.seconds - b.seconds)[1]!;
    if (first.offers !== offers || first.rated !== offers || warm.offers !== offers)
      throw new Error(`offers are missing: ${JSON.stringify({ first, warm })}`);
    const network = join(home, "network.json");
    const rpcUrl = node.rpcUrl;
    await writeFile(
      network,
      JSON.stringify({ name: "bench", chainId, rpcUrl, contracts: addresses, confirmations: 1 }),
    );
    return {
      offers,
      first,
      warm,
      command_seconds: round(await command(home, network, offers)),
      index_MiB: Math.round((await stat(database)).size / 2 ** 20),
      filled_seconds: round(filled),
    };
  } finally {
    await node.stop();
  }
}

/** Seconds of `ichain providers --json` with a complete index, start of the process included; median of three. */
async function command(home: string, network: string, offers: number): Promise<number> {
  const env = { ...process.env, ICHAIN_HOME: home, ICHAIN_NETWORK: network };
  const seconds: number[] = [];
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    const { stdout } = await run(process.execPath, [ICHAIN, "providers", "--json"], {
      env,
      maxBuffer: 2 ** 28,
    });
    seconds.push((performance.now() - began) / 1000);
    if (JSON.parse(stdout).providers.length !== offers) throw new Error("the command left offers out");
  }
  return seconds.sort((a, b) => a - b)[1]!;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
