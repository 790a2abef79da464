import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { linkSignals } from "../../async/abort.ts";
import type { TorControl } from "../../transfer/onion/control/control.ts";
import { bootstrapped, ENOUGH_DIRECTORY } from "../../transfer/onion/tor/bootstrap.ts";
import { startTorProcess, type TorProcess } from "../../transfer/onion/tor/process.ts";
import {
  type Authority,
  authorityLines,
  type FirstVote,
  networkLines,
  relayLines,
  VOTE_MS,
} from "./torrc.ts";

export interface RelayPlan {
  readonly dir: string;
  readonly binary: string;
  readonly authorities: readonly Authority[];
  readonly relays: number;
  /** First three bytes of the nodes' addresses. */
  readonly subnet: string;
  readonly firstVote: FirstVote;
  /** Whether the nodes are reached through forwarders (delay.ts). */
  readonly behind: boolean;
}

export const relayAddress = (subnet: string, i: number) => `${subnet}.${100 + i}`;

/** Milliseconds before the vote by which the relays must run: registering takes them a tenth of that. */
const REGISTER_MS = 500;
/** Milliseconds that the nodes may take from the end of the vote until all hold the consensus. */
const SETTLE_MS = 10_000;
/** Milliseconds between two reloads of a relay that has no consensus yet. */
const RELOAD_MS = 500;
/** Milliseconds between two questions whether an authority holds the consensus. */
const POLL_MS = 200;

/**
 * Starts all nodes, authorities first, and resolves once all hold a consensus that lists all. Undefined
 * when the machine was too slow, so that the vote came before the relays: then the next consensus is
 * five minutes away, and new nodes are faster.
 */
export async function launchNodes(
  plan: RelayPlan,
  signal: AbortSignal | undefined,
): Promise<readonly TorProcess[] | undefined> {
  const { firstVote } = plan;
  const network = networkLines(plan.authorities);
  const started: TorProcess[] = [];
  const start = async (nickname: string, lines: readonly string[]) => {
    const { binary } = plan;
    const dir = join(plan.dir, nickname);
    const node = await startTorProcess({ binary, dir, torrc: [...network, ...lines], signal });
    started.push(node);
    return node;
  };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), firstVote.at * 1000 + VOTE_MS + SETTLE_MS - Date.now());
  using linked = linkSignals([signal, late.signal]);
  const either = linked.signal;
  try {
    const authorities = await all(
      plan.authorities.map((a) => start(a.nickname, authorityLines(a, firstVote, plan.behind))),
    );
    const names = Array.from({ length: plan.relays }, (_, i) => `relay${i}`);
    const relays = await all(
      names.map((name, i) => start(name, relayLines(name, relayAddress(plan.subnet, i), plan.behind))),
    );
    if (Date.now() > firstVote.at * 1000 - REGISTER_MS) throw new TooSlow();
    const listed = await all(authorities.map((node) => countListed(node.control, either)));
    if (listed.some((count) => count !== started.length)) throw new TooSlow();
    await all(relays.map((relay) => reloadUntilBootstrapped(relay.control, either)));
    return [...authorities, ...relays];
  } catch (error) {
    await Promise.all(started.map((node) => node.stop()));
    signal?.throwIfAborted();
    if (!(error instanceof TooSlow) && !late.signal.aborted) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The vote came before all relays had registered. */
class TooSlow extends Error {}

/** Waits for all, so that nothing is still starting during the clean-up; then throws the first failure. */
async function all<T>(pending: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(pending);
  return Promise.all(pending);
}

/**
 * Running nodes in the consensus, once this authority holds one. Its bootstrap phase does not tell: an authority that
 * made the consensus itself may never ask a directory for anything, and stays at "starting".
 */
async function countListed(control: TorControl, signal: AbortSignal): Promise<number> {
  for (;;) {
    const consensus = await control.info("ns/all", { signal });
    const nodes = consensus.split("\n").filter((line) => line.startsWith("s "));
    if (nodes.length > 0) return nodes.filter((line) => /\bHSDir\b.*\bRunning\b/.test(line)).length;
    await pause(POLL_MS, undefined, { signal });
  }
}

/**
 * Resolves once a relay holds the consensus: a client that picks a relay without it as directory waits ten seconds. The
 * relay itself asked before the vote and waits as long; RELOAD makes it ask at once.
 */
async function reloadUntilBootstrapped(control: TorControl, signal: AbortSignal): Promise<void> {
  const reload = () => void control.command("SIGNAL RELOAD").catch(() => {});
  const timer = setInterval(reload, RELOAD_MS);
  reload();
  try {
    await bootstrapped(control, { signal, progress: ENOUGH_DIRECTORY });
  } finally {
    clearInterval(timer);
  }
}
