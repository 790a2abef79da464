import { setTimeout as delay } from "node:timers/promises";
import type { AbortOptions } from "../../../async/abort.ts";
import { isIchainError } from "../../../errors/error.ts";
import { type Logger, silentLogger } from "../../../ports/logger.ts";
import type { Warn } from "../../warnings.ts";
import { hexNumber } from "../blocks.ts";
import { larger, parseQuantity } from "../quantities.ts";
import { connectRpc, type Rpc } from "../rpc.ts";
import { agreed, disagreement, gather, groupAnswers, panelOf, undecided } from "./ask.ts";
import { agreedHead } from "./head.ts";
import { type NodeAnswer, watchNode } from "./node.ts";
import { keyOf, type Rule, ruleFor } from "./rules.ts";

export interface NodeTimes {
  /** Timeout of one node's answer. */
  readonly timeoutMs: number;
  /** First pause after a node gave no answer; doubles. */
  readonly pauseMs: number;
  /** How long the head of one of two nodes may not advance before the other is followed alone. */
  readonly stallMs: number;
  /** Pauses before nodes that disagree are asked again; a block takes a moment to reach them all. */
  readonly againMs: readonly number[];
}

const NODE_TIMES: NodeTimes = {
  timeoutMs: 15_000,
  pauseMs: 5_000,
  stallMs: 90_000,
  againMs: [250, 750, 2_000],
};

/** Retry once: a single lost request must not exclude a node. */
const RETRY_MS = [250];
/** Estimates of honest nodes for the same call differ by less than this factor. */
const ESTIMATES_FACTOR = 2n;

/** Names for the nodes: the host alone, since the rest of a URL may hold an API key. */
export function hostsOf(urls: readonly string[]): string[] {
  const hosts = urls.map((url) => new URL(url).host);
  return hosts.map((host, i) =>
    hosts.indexOf(host) === hosts.lastIndexOf(host) ? host : `${host} (${i + 1})`,
  );
}

/**
 * Several nodes of one chain as one `Rpc`: an answer counts when a quorum gives it (`Panel.quorum`). Nodes that disagree
 * are asked again.
 * @throws CHAIN_NODES_DISAGREE when they still disagree
 */
export function connectNodes(
  urls: readonly string[],
  options: { chainId: number; warn: Warn; times?: NodeTimes | undefined; logger?: Logger },
): Rpc {
  const { chainId, warn, times = NODE_TIMES, logger = silentLogger } = options;
  const hosts = hostsOf(urls);
  const nodes = urls.map((url, i) => {
    const rpc = connectRpc(url, { timeoutMs: times.timeoutMs, retryMs: RETRY_MS, logger });
    return watchNode(rpc, { host: hosts[i] as string, chainId, pauseMs: times.pauseMs, warn });
  });
  const panel = panelOf(nodes);
  const head = agreedHead(panel, { stallMs: times.stallMs, warn });
  const warned = new Set<string>();
  /** How often in a row a node contradicted the quorum. */
  const dissents = new Map<string, number>();

  async function once(method: string, params: readonly unknown[], options: AbortOptions): Promise<unknown> {
    if (method === "eth_getBlockByNumber" && params[0] === "latest") return head(options);
    const rule = ruleFor(method, params);
    const pinned = await pin(rule, params, options);
    if (method === "eth_getTransactionCount" && params[1] === "pending") return pendingCount(params, options);
    if (method === "eth_estimateGas") return estimate(params, options);
    if (rule.measure !== undefined) return middle(rule, method, pinned, options);
    const answers = await gather(panel.usable(), method, pinned, options, enough(rule));
    const same = agreed(panel, rule, answers);
    if (same === undefined) throw undecided(panel, rule, answers, method);
    countDissent(rule, answers, same, method);
    return outcome(same);
  }

  /** With three or more nodes, the others are not waited for once a quorum agrees. */
  const enough =
    (rule: Rule) =>
    (answers: readonly NodeAnswer[]): boolean =>
      nodes.length > 2 && agreed(panel, rule, answers) !== undefined;

  /** Replaces "latest", which differs between nodes, by the block that they agree on. */
  async function pin(
    rule: Rule,
    params: readonly unknown[],
    options: AbortOptions,
  ): Promise<readonly unknown[]> {
    if (rule.block === undefined || params[rule.block] !== "latest") return params;
    const { number } = (await head(options)) as { number: string };
    return params.with(rule.block, number);
  }

  async function middle(
    rule: Rule,
    method: string,
    params: readonly unknown[],
    options: AbortOptions,
  ): Promise<unknown> {
    const answers = await gather(panel.usable(), method, params, options, () => false);
    const values = answers.flatMap((answer) => {
      const parsed = answer.kind === "value" ? rule.what.safeParse(answer.value) : undefined;
      return parsed?.success ? [{ answer, size: (rule.measure as (w: unknown) => bigint)(parsed.data) }] : [];
    });
    const chosen = values.sort((a, b) => (a.size < b.size ? -1 : 1))[Math.floor((values.length - 1) / 2)];
    if (chosen?.answer.kind === "value") return chosen.answer.value;
    // A node without a pending block answers null.
    if (answers.some(({ kind }) => kind === "value")) return null;
    const refused = answers.find(({ kind }) => kind === "refusal");
    throw refused?.kind === "refusal" ? refused.refusal : undecided(panel, rule, answers, method);
  }

  /** At least the mined count: no node can hide transactions that are on the chain. */
  async function pendingCount(params: readonly unknown[], options: AbortOptions): Promise<unknown> {
    const method = "eth_getTransactionCount";
    const [mined, pending] = await Promise.all([
      once(method, params.with(1, "latest"), options),
      middle(ruleFor(method, params), method, params, options),
    ]);
    const [least, inPool] = [parseQuantity.parse(mined), parseQuantity.parse(pending)];
    return hexNumber(larger(least, inPool));
  }

  /** Pending blocks differ slightly between nodes: of two near estimates the larger counts, of more the median. */
  async function estimate(params: readonly unknown[], options: AbortOptions): Promise<unknown> {
    const method = "eth_estimateGas";
    const rule = ruleFor(method, params);
    const answers = await gather(panel.usable(), method, params, options, () => false);
    const refused = groupAnswers(rule, answers).find(([first]) => first?.kind === "refusal");
    const values = answers.flatMap((answer) => {
      const parsed = answer.kind === "value" ? parseQuantity.safeParse(answer.value) : undefined;
      return parsed?.success ? [parsed.data] : [];
    });
    const answering = answers.filter((answer) => keyOf(rule, answer) !== undefined).length;
    const quorum = panel.quorum(answering);
    if (refused !== undefined && refused.length >= quorum) return outcome(refused);
    const gas = values.sort((a, b) => (a < b ? -1 : 1))[Math.floor(values.length / 2)];
    const near = values.filter(
      (other) => gas !== undefined && other * ESTIMATES_FACTOR >= gas && gas * ESTIMATES_FACTOR >= other,
    );
    if (gas !== undefined && near.length >= quorum) return hexNumber(gas);
    throw answering >= quorum
      ? disagreement(
          answers.filter(({ kind }) => kind !== "none"),
          method,
        )
      : undecided(panel, rule, answers, method);
  }

  /** Warns of a node that contradicts the quorum three times in a row; once may be a block's propagation. */
  function countDissent(
    rule: Rule,
    answers: readonly NodeAnswer[],
    same: readonly NodeAnswer[],
    method: string,
  ): void {
    for (const answer of answers) {
      const { host } = answer.node;
      const differs = answer.kind !== "none" && keyOf(rule, answer) !== undefined && !same.includes(answer);
      const times = differs ? (dissents.get(host) ?? 0) + 1 : 0;
      dissents.set(host, times);
      if (times === 3) warnOnce([host], method);
    }
  }

  function warnOnce(hosts: readonly string[], method: string): void {
    if (!warned.has(hosts.join())) warn({ kind: "nodes-differ", hosts, method });
    warned.add(hosts.join());
  }

  return {
    url: urls[0] as string,
    get nodes() {
      const up = nodes.filter((node) => node.up);
      return (up.length > 0 ? up : nodes).map((node) => node.alone);
    },
    quorum: (answering) => panel.quorum(answering),
    async send(method, params, options = {}) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await once(method, params, options);
        } catch (error) {
          options.signal?.throwIfAborted();
          if (!isIchainError(error, "CHAIN_NODES_DISAGREE")) throw error;
          const pause = times.againMs[attempt];
          if (pause === undefined) {
            warnOnce(error.details.hosts as string[], method);
            throw error;
          }
          await delay(pause, undefined, { signal: options.signal });
        }
      }
    },
    close() {
      for (const node of nodes) node.close();
    },
  };
}

function outcome(same: readonly NodeAnswer[]): unknown {
  const reasoned = same.find((answer) => answer.kind === "refusal" && answer.refusal.data !== undefined);
  const [first] = reasoned === undefined ? same : [reasoned];
  if (first?.kind === "refusal") throw first.refusal;
  return first?.kind === "value" ? first.value : undefined;
}
