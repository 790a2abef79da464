import { randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { IchainError } from "../errors.ts";
import { bootstrapped } from "../transfer/onion/bootstrap.ts";
import type { TorControl } from "../transfer/onion/control.ts";
import { startTorProcess, type TorProcess } from "../transfer/onion/process.ts";
import { makeAuthorityKey, makeRelayKey } from "./tor/keys.ts";
import { type Authority, authorityLines, networkLines, relayLines } from "./tor/torrc.ts";

export interface TorNetworkOptions {
  /** Folder for the nodes' data; what a former network left in it is removed. */
  readonly dir: string;
  /** Three or more agree on a consensus as the public ones do. */
  readonly authorities?: number;
  /** Relays beside the authorities, which relay too. */
  readonly relays?: number;
  /** The tor program; `tor` on the PATH when absent. */
  readonly torBinary?: string;
  readonly signal?: AbortSignal | undefined;
}

/** A private Tor network on loopback: no packet leaves the machine. */
export interface TorNetwork {
  /** Configuration that makes a tor a client of this network. */
  readonly networkTorrc: string;
  /** Kills relay `n` (0 … relays − 1) and leaves it dead, as a relay that lost its power. */
  loseRelay(n: number): Promise<void>;
  stop(): Promise<void>;
}

/** Seconds from the authorities' start to their first vote, by attempt: relays must register before it. */
const LEADS_S = [2, 5, 10];

/**
 * Starts authorities and relays and resolves once all authorities hold a consensus with every node in
 * it, some seven seconds later. Addresses are drawn from 127.0.0.0/8, so networks do not collide. The
 * nodes end with this process, however it ends. Throws `TOR_MISSING`, `TORNET_FAILED`.
 */
export async function startTorNetwork(options: TorNetworkOptions): Promise<TorNetwork> {
  const { dir, authorities: authorityCount = 3, relays: relayCount = 5, signal } = options;
  await rm(dir, { recursive: true, force: true });
  const subnet = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const authorities = await Promise.all(
    Array.from({ length: authorityCount }, (_, i) =>
      makeAuthority(dir, `auth${i}`, `${subnet}.${10 + i}`, signal),
    ),
  );
  const network = networkLines(authorities);
  const start = (nickname: string, lines: readonly string[]) =>
    startTorProcess({
      binary: options.torBinary ?? "tor",
      dir: join(dir, nickname),
      torrc: [...network, ...lines],
      signal,
    });

  for (const lead of LEADS_S) {
    const firstVote = Math.ceil(Date.now() / 1000) + lead;
    const nodes: TorProcess[] = [];
    const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
    const launch = async (pending: Promise<TorProcess>[]) => {
      const settled = await Promise.allSettled(pending);
      for (const one of settled) if (one.status === "fulfilled") nodes.push(one.value);
      for (const one of settled) if (one.status === "rejected") throw one.reason;
    };
    try {
      await launch(authorities.map((a) => start(a.nickname, authorityLines(a, firstVote))));
      await launch(
        Array.from({ length: relayCount }, (_, i) =>
          start(`relay${i}`, relayLines(`relay${i}`, `${subnet}.${100 + i}`)),
        ),
      );
      const complete = await Promise.all(
        nodes.slice(0, authorityCount).map(async ({ control }) => {
          await bootstrapped(control, { signal });
          return countRelays(await control.info("ns/all", { signal })) === nodes.length;
        }),
      );
      if (complete.every(Boolean)) {
        await Promise.all(nodes.slice(authorityCount).map((relay) => hasten(relay.control, signal)));
        return { networkTorrc: network.join("\n"), loseRelay: (n) => kill(nodes[authorityCount + n]), stop };
      }
      await stop();
    } catch (error) {
      await stop();
      throw error;
    }
    await Promise.all(authorities.map((a) => forgetConsensus(join(dir, a.nickname))));
  }
  throw new IchainError("The private Tor network did not agree on a consensus with all its relays.", {
    code: "TORNET_FAILED",
    class: "unavailable",
    hint: "The machine may be too busy: try again.",
    retryable: true,
  });
}

async function makeAuthority(
  dir: string,
  nickname: string,
  address: string,
  signal: AbortSignal | undefined,
) {
  const data = join(dir, nickname);
  const [identity, fingerprint] = await Promise.all([makeAuthorityKey(data, signal), makeRelayKey(data)]);
  return { nickname, address, identity, fingerprint } satisfies Authority;
}

/** Running nodes with the HSDir flag in a consensus as `GETINFO ns/all` prints it. */
function countRelays(consensus: string): number {
  return consensus.split("\n").filter((line) => /^s .*\bHSDir\b.*\bRunning\b/.test(line)).length;
}

async function forgetConsensus(dataDir: string): Promise<void> {
  for (const file of ["cached-consensus", "cached-microdesc-consensus", "unverified-consensus", "state"]) {
    await rm(join(dataDir, file), { force: true });
  }
}

/**
 * Resolves once a relay holds the consensus too: a client that picks a relay without it as directory gets
 * nothing and pauses for ten seconds. The relay asked too early and pauses just so; RELOAD makes it ask.
 */
async function hasten(control: TorControl, signal: AbortSignal | undefined): Promise<void> {
  const reload = () => void control.command("SIGNAL RELOAD").catch(() => {});
  const timer = setInterval(reload, 500);
  reload();
  try {
    await bootstrapped(control, { signal });
  } finally {
    clearInterval(timer);
  }
}

async function kill(node: TorProcess | undefined): Promise<void> {
  if (node === undefined) return;
  process.kill(node.pid, "SIGKILL");
  await node.exited;
}
