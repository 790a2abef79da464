import { randomInt } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { IchainError } from "../../errors/error.ts";
import type { TorProcess } from "../../transfer/onion/tor/process.ts";
import { type Delay, startDelay } from "./delay.ts";
import { makeAuthorityKey, makeRelayKey } from "./keys.ts";
import { launchNodes, type RelayPlan, relayAddress } from "./nodes.ts";
import { type Authority, type FirstVote, HIDDEN_OR_PORT, networkLines, OR_PORT, VOTE_MS } from "./torrc.ts";

export interface TorNetworkOptions {
  /** Folder for the nodes' data; what a former network left in it is removed. */
  readonly dir: string;
  /** Three or more agree on a consensus as the public ones do. */
  readonly authorities?: number;
  /** Relays beside the authorities, which relay too. */
  readonly relays?: number;
  /** Delay to every relay in each direction, milliseconds; none when absent. */
  readonly delayMs?: number;
  /** The tor program; `tor` on the PATH when absent. */
  readonly torBinary?: string;
  readonly signal?: AbortSignal | undefined;
}

/** A private Tor network on loopback: no packet leaves the machine. */
export interface TorNetwork {
  /** Configuration that makes a tor a client of this network. */
  readonly networkTorrc: string;
  /** Kills relay `n` (0 … relays − 1) for good, as a power cut would. */
  loseRelay(n: number): Promise<void>;
  stop(): Promise<void>;
}

const ATTEMPTS = 4;

/**
 * Starts authorities and relays and resolves once every node holds a consensus that lists all of them,
 * some eight seconds later. Addresses are drawn from 127.0.0.0/8, so networks do not collide. The nodes
 * end with this process, however it ends.
 * @throws TOR_MISSING, TORNET_FAILED, TOR_GENCERT_FAILED
 */
export async function startTorNetwork(options: TorNetworkOptions): Promise<TorNetwork> {
  const { dir, authorities = 3, relays = 5, delayMs = 0, torBinary = "tor", signal } = options;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    // A tor that has seen a vote fail keeps that in its state, so each attempt starts new nodes.
    await rm(dir, { recursive: true, force: true });
    const subnet = `127.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    const began = performance.now();
    const keys = await Promise.all(
      Array.from({ length: authorities }, (_, i) => makeAuthority(dir, i, `${subnet}.${10 + i}`, signal)),
    );
    const firstVote = planFirstVote((performance.now() - began) / 1000, attempt);
    const behind = delayMs > 0;
    const plan = { dir, binary: torBinary, authorities: keys, relays, subnet, firstVote, behind };
    const delay = behind ? await startDelay(forwardsOf(plan), signal) : undefined;
    try {
      const nodes = await launchNodes(plan, signal);
      if (nodes !== undefined) {
        await delay?.set(delayMs);
        return network(networkLines(keys).join("\n"), nodes, authorities, delay);
      }
    } catch (error) {
      await delay?.stop();
      throw error;
    }
    await delay?.stop();
  }
  throw new IchainError(
    "TORNET_FAILED",
    "The private Tor network did not agree on a consensus with all its relays.",
  );
}

/**
 * The nodes must be up before the vote. The time that the keys took measures the machine: starting eight nodes takes
 * about as long, plus a second in which they register.
 */
function planFirstVote(keySeconds: number, attempt: number): FirstVote {
  const lead = Math.min(Math.max(2.4, 1 + 1.4 * keySeconds) * attempt, 24);
  // A consensus that is due one interval earlier must be past when the first authority runs: tor would
  // hurry through that vote, without the relays.
  const interval = [10, 20, 30].find((seconds) => seconds > lead + 1 + VOTE_MS / 1000) ?? 30;
  return { at: Math.ceil(Date.now() / 1000 + lead), interval };
}

function forwardsOf({ authorities, relays, subnet }: RelayPlan) {
  const others = Array.from({ length: relays }, (_, i) => relayAddress(subnet, i));
  return [...authorities.map(({ address }) => address), ...others].map((host) => ({
    host,
    port: OR_PORT,
    to: HIDDEN_OR_PORT,
  }));
}

function network(
  networkTorrc: string,
  nodes: readonly TorProcess[],
  authorities: number,
  delay: Delay | undefined,
): TorNetwork {
  return {
    networkTorrc,
    loseRelay: async (n) => {
      const relay = nodes[authorities + n];
      if (relay === undefined) return;
      process.kill(relay.pid, "SIGKILL");
      await relay.exited;
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      await delay?.stop();
    },
  };
}

async function makeAuthority(dir: string, i: number, address: string, signal: AbortSignal | undefined) {
  const nickname = `auth${i}`;
  const data = join(dir, nickname);
  const [identity, fingerprint] = await Promise.all([makeAuthorityKey(data, signal), makeRelayKey(data)]);
  return { nickname, address, identity, fingerprint } satisfies Authority;
}
