import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { JsonRpcProvider, type TransactionReceipt, type TransactionResponse, Wallet } from "ethers";
import { createMarket } from "../../../src/chain/market.ts";
import { type Devnet, type DevnetRequest, startDevnet } from "../../../src/devnet/devnet.ts";
import { asOwnerOf, type Home } from "../../../src/devnet/homes.ts";
import { type Address, ZERO_ADDRESS } from "../../../src/protocol/ids.ts";
import type { Job } from "../../../src/protocol/job/job.ts";
import { isFinal, type JobState } from "../../../src/protocol/job/state.ts";
import { bareEnvironment, type Ended, ichainRun } from "../binary.ts";

export const digits = fileURLToPath(new URL("../../../examples/digits/job.yaml", import.meta.url));
const binary = fileURLToPath(new URL("../../../bin/ichain.js", import.meta.url));

/** A devnet for one test file, with the command line in its requester's hands. */
export interface TestMarket extends Devnet {
  readonly chain: JsonRpcProvider;
  /** Runs `ichain … --json` as the requester (or `as`) and returns its last JSON line; asserts success. */
  ichain(args: readonly string[], as?: Home): Promise<Record<string, unknown>>;
  /** The same without asserting. */
  attempt(args: readonly string[], as?: Home, env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** Starts it and hands the process over, for tests that interrupt. */
  launch(args: readonly string[], as?: Home): ChildProcess;
  /** Resolves with the requester's first job once it is in this state; rejects if it ends otherwise. */
  state(wanted: JobState): Promise<Job>;
  /** The requester's jobs, each time they change. */
  jobs(): AsyncIterable<Job>;
  /** What the escrow owes, wei. */
  owed(account: Address): Promise<bigint>;
  /** The same for every actor of the devnet together. */
  owedToAll(): Promise<bigint>;
  stake(account: Address): Promise<bigint>;
  /** Every transaction of the chain from `fromBlock` on, with its receipt. */
  transactions(fromBlock?: number): Promise<{ tx: TransactionResponse; receipt: TransactionReceipt }[]>;
}

/** What a process has to end by itself, milliseconds. */
const STOP_MS = 10_000;

const quiet = { emit: () => undefined };

export async function startTestMarket(
  t: Pick<TestContext, "after">,
  request: Partial<DevnetRequest> = {},
): Promise<TestMarket> {
  const dir = await mkdtemp(join(tmpdir(), "ichain-e2e-"));
  const stop = new AbortController();
  const devnet = await startDevnet({
    providers: 1,
    validators: 1,
    reporter: quiet,
    signal: stop.signal,
    dir,
    ...request,
  });
  const reader = createMarket({
    rpcUrl: devnet.network.rpcUrl,
    chainId: devnet.network.chainId,
    addresses: devnet.network.contracts,
    database: ":memory:",
    pollMs: 100,
  });
  const chain = new JsonRpcProvider(devnet.network.rpcUrl, devnet.network.chainId, {
    staticNetwork: true,
    cacheTimeout: -1,
  });
  const launched: ChildProcess[] = [];
  t.after(async () => {
    // The chain's server waits for those that still ask it.
    await Promise.all(launched.map(stopped));
    chain.destroy();
    await reader.stop();
    await devnet.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const env = (as: Home) => ({ ...asOwnerOf(as), CI: "1" });
  const attempt = (args: readonly string[], as = devnet.requester, more = {}) =>
    ichainRun([...args, "--json"], { ...env(as), ...more });
  return {
    ...devnet,
    chain,
    attempt,
    async ichain(args, as) {
      const ended = await attempt(args, as);
      assert.equal(ended.code, 0, `ichain ${args.join(" ")}\n${ended.stdout}\n${ended.stderr}`);
      return lastJson(ended.stdout);
    },
    launch(args, as = devnet.requester) {
      const child = spawn(process.execPath, [binary, ...args, "--json"], {
        env: bareEnvironment(env(as)),
        stdio: ["ignore", "pipe", "pipe"],
      });
      launched.push(child);
      return child;
    },
    async state(wanted) {
      for await (const job of reader.watch({ requester: devnet.requester.account })) {
        if (job.state === wanted) return job;
        assert.equal(isFinal(job.state), false, `the job ended ${job.state} (${job.reason}), not ${wanted}`);
      }
      return assert.fail("the watch ended");
    },
    jobs: () => reader.watch({ requester: devnet.requester.account }),
    owed: (account) => reader.owed(account, ZERO_ADDRESS),
    async owedToAll() {
      const all = [devnet.requester, ...devnet.providers, ...devnet.validators];
      const sums = await Promise.all(all.map(({ account }) => reader.owed(account, ZERO_ADDRESS)));
      return sums.reduce((sum, one) => sum + one, 0n);
    },
    stake: async (account) => (await reader.offer(account))?.stake ?? 0n,
    async transactions(fromBlock = 0) {
      const newest = await chain.getBlockNumber();
      const found: { tx: TransactionResponse; receipt: TransactionReceipt }[] = [];
      for (let number = fromBlock; number <= newest; number += 1) {
        const block = await chain.getBlock(number, true);
        for (const tx of block?.prefetchedTransactions ?? []) {
          const receipt = await chain.getTransactionReceipt(tx.hash);
          if (receipt) found.push({ tx, receipt });
        }
      }
      return found;
    },
  };
}

/** The chain's deployer publishes the keys of `victim` under its own name, signed by its own wallet. */
export async function stealKeys(
  { network, evm }: TestMarket,
  victim: Address,
): Promise<{ account: Address }> {
  const thief = createMarket({
    rpcUrl: network.rpcUrl,
    chainId: network.chainId,
    addresses: network.contracts,
    database: ":memory:",
    pollMs: 100,
    wallet: new Wallet(evm.accounts[0]!.privateKey),
  });
  try {
    const { priceFloor, feeFloor, keys, details } = (await thief.offer(victim))!;
    const draft = { provider: true, validator: true, priceFloor, feeFloor, keys, details };
    await thief.broadcast(await thief.prepare({ kind: "publish", offer: draft }));
    // Without a stake it would not be chosen in the first place.
    const amount = 2n * (await thief.poolStake());
    await thief.broadcast(await thief.prepare({ kind: "deposit", amount }));
    return { account: thief.account };
  } finally {
    await thief.stop();
  }
}

export function lastJson(stdout: string): Record<string, unknown> {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  return JSON.parse(line) as Record<string, unknown>;
}

/** What `account` paid for gas in these transactions, wei. */
export function gasPaid(
  transactions: Awaited<ReturnType<TestMarket["transactions"]>>,
  account: Address,
): bigint {
  return transactions
    .filter(({ tx }) => tx.from.toLowerCase() === account.toLowerCase())
    .reduce((sum, { receipt }) => sum + receipt.gasUsed * receipt.gasPrice, 0n);
}

/** What a launched command said, once it has ended. */
export function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    let [stdout, stderr] = ["", ""];
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Ends a process that a test has left running; resolves once it is gone. */
async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.stdout?.resume();
  child.stderr?.resume();
  child.kill();
  const hard = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await gone;
  clearTimeout(hard);
}
