import type { AbortOptions } from "../../../async/abort.ts";
import type { Warn } from "../../warnings.ts";
import { hexNumber } from "../blocks.ts";
import { agreed, disagreement, gather, type Panel, undecided } from "./ask.ts";
import type { Node, NodeAnswer } from "./node.ts";
import { blockRule } from "./rules.ts";

/** A smaller difference is a node's usual lag; blocks. */
const BEHIND_BLOCKS = 2;
/** The node that is ahead must be this close to the wall clock, or it is not believed; seconds. */
const NEAR_NOW_SECONDS = 120;

interface Tip {
  readonly node: Node;
  readonly number: number;
  readonly hash: string;
  readonly time: number;
  readonly answer: NodeAnswer;
}

/**
 * The newest block on which a quorum of nodes agrees. A single node that is ahead, on a fork, or lies about a block's
 * time is not followed; of two nodes, one whose head does not advance is waited for until `stallMs`.
 */
export function agreedHead(panel: Panel, { stallMs, warn }: { stallMs: number; warn: Warn }) {
  const warned = new Set<Node>();

  return async function head(options: AbortOptions): Promise<unknown> {
    const up = panel.nodes.filter((node) => node.up);
    const asked = up.length >= panel.quorum(up.length) ? up : panel.nodes;
    const answers = await gather(asked, "eth_getBlockByNumber", ["latest", false], options, () => false);
    const all = answers.flatMap(tipOf).sort((a, b) => b.number - a.number);
    for (const { node, hash } of all) {
      if (node.head?.hash !== hash) node.head = { hash, since: performance.now() };
    }
    const tips = panel.nodes.length === 2 ? await withoutStalled(all, options) : all;
    for (const tip of all) tip.node.behind = !tips.includes(tip);
    const quorum = panel.quorum(tips.length);
    const heights = [...new Set(tips.slice(quorum - 1).map(({ number }) => number))];
    for (const height of tips.length >= quorum ? heights : []) {
      const blocks = await blocksAt(height, tips, options);
      const same = agreed(panel, blockRule, blocks)?.[0];
      if (same?.kind === "value" && same.value != null) return same.value;
    }
    throw tips.length >= quorum
      ? disagreement(
          tips.map(({ answer }) => answer),
          "the newest block",
        )
      : undecided(panel, blockRule, answers, "the newest block");
  };

  function blocksAt(height: number, tips: readonly Tip[], options: AbortOptions): Promise<NodeAnswer[]> {
    const have = tips.filter(({ number }) => number >= height);
    return Promise.all(
      have.map(({ node, number, answer }) =>
        number === height ? answer : node.ask("eth_getBlockByNumber", [hexNumber(height), false], options),
      ),
    );
  }

  /** Of two nodes, without the one whose head has not advanced for `stallMs` while the other is at the wall clock. */
  async function withoutStalled(tips: Tip[], options: AbortOptions): Promise<Tip[]> {
    const [ahead, lower] = tips;
    if (ahead === undefined || lower === undefined || ahead.number - lower.number < BEHIND_BLOCKS)
      return tips;
    const still = performance.now() - (lower.node.head?.since ?? Number.POSITIVE_INFINITY) >= stallMs;
    const near = Math.abs(Date.now() / 1000 - ahead.time) <= NEAR_NOW_SECONDS;
    if (!still || !near) return tips;
    const [block] = await blocksAt(lower.number, [ahead], options);
    const common = block === undefined ? undefined : tipOf(block)[0];
    if (common?.hash !== lower.hash) return tips;
    if (!warned.has(lower.node)) warn({ kind: "node-behind", host: lower.node.host });
    warned.add(lower.node);
    return [ahead];
  }
}

function tipOf(answer: NodeAnswer): Tip[] {
  const parsed = answer.kind === "value" ? blockRule.what.safeParse(answer.value ?? null) : undefined;
  if (!parsed?.success || parsed.data === null) return [];
  const { number, hash, timestamp } = parsed.data as { number: bigint; hash: string; timestamp: bigint };
  return [{ node: answer.node, number: Number(number), hash, time: Number(timestamp), answer }];
}
