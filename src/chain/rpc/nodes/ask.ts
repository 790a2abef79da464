import { type AbortOptions, linkSignals } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { Node, NodeAnswer } from "./node.ts";
import { keyOf, type Rule } from "./rules.ts";

/** The nodes of one chain, and how many of them must agree. */
export interface Panel {
  readonly nodes: readonly Node[];
  /** Those that answer and are not behind; all when these are too few to decide. */
  usable(): Node[];
  /**
   * How many of `answering` nodes decide. Of three or more nodes a majority of all, so a minority cannot make us act;
   * of two both, or the one that answers while the other does not.
   */
  quorum(answering: number): number;
}

export function panelOf(nodes: readonly Node[]): Panel {
  const majority = Math.floor(nodes.length / 2) + 1;
  return {
    nodes,
    usable() {
      const usable = nodes.filter((node) => node.up && !node.behind);
      return usable.length >= (nodes.length === 2 ? 1 : majority) ? usable : [...nodes];
    },
    quorum: (answering) => (nodes.length === 2 ? Math.max(1, answering) : majority),
  };
}

/** Asks all of `nodes` at once; stops waiting as soon as `enough` is true of the answers so far. */
export async function gather(
  nodes: readonly Node[],
  method: string,
  params: readonly unknown[],
  { signal }: AbortOptions,
  enough: (answers: readonly NodeAnswer[]) => boolean,
): Promise<NodeAnswer[]> {
  const late = new AbortController();
  using each = linkSignals([signal, late.signal]);
  const answers: NodeAnswer[] = [];
  const done = Promise.withResolvers<void>();
  const all = nodes.map(async (node) => {
    answers.push(await node.ask(method, params, { signal: each.signal }));
    if (enough(answers)) done.resolve();
  });
  await Promise.race([done.promise, Promise.all(all)]);
  const counted = [...answers];
  late.abort();
  await Promise.allSettled(all);
  return counted;
}

/** Answers grouped by equality, the largest group first. */
export function groupAnswers(rule: Rule, answers: readonly NodeAnswer[]): NodeAnswer[][] {
  const byKey = new Map<string, NodeAnswer[]>();
  for (const answer of answers) {
    const key = keyOf(rule, answer);
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), answer]);
  }
  // A refusal without revert data agrees with any refusal.
  const bare = byKey.get("no ") ?? [];
  const reasoned = [...byKey].filter(([key]) => key.startsWith("no 0x"));
  if (bare.length > 0 && reasoned.length > 0) {
    byKey.delete("no ");
    for (const [key, group] of reasoned) byKey.set(key, [...group, ...bare]);
  }
  return [...byKey.values()].sort((a, b) => b.length - a.length);
}

/** The group of equal answers that reaches the quorum; undefined when none does. */
export function agreed(panel: Panel, rule: Rule, answers: readonly NodeAnswer[]): NodeAnswer[] | undefined {
  const [first, second] = groupAnswers(rule, answers);
  if (first === undefined || (second !== undefined && second.length === first.length)) return undefined;
  const answering = answers.filter((answer) => keyOf(rule, answer) !== undefined).length;
  return first.length >= panel.quorum(answering) ? first : undefined;
}

/** The error for `answers` without a quorum: too few, or they differ. */
export function undecided(panel: Panel, rule: Rule, answers: readonly NodeAnswer[], about: string): unknown {
  const real = answers.filter((answer) => keyOf(rule, answer) !== undefined);
  if (real.length >= Math.max(1, panel.quorum(real.length))) return disagreement(real, about);
  const errors = answers.flatMap((answer) => (answer.kind === "none" ? [answer.error] : []));
  if (errors.length > 0 && errors.every((error) => isIchainError(error, "CHAIN_MISMATCH"))) return errors[0];
  return new IchainError(
    "CHAIN_UNAVAILABLE",
    `Too few of the chain's ${panel.nodes.length} nodes answer to ${about}.`,
    {
      hint: "See with `ichain doctor` which ones do, then try again or name others; nothing was lost.",
      cause: errors[0],
      details: { method: about, hosts: panel.nodes.map(({ host }) => host) },
    },
  );
}

/** The error for nodes that differ; nothing is done on such answers. */
export function disagreement(answers: readonly NodeAnswer[], about: string): IchainError {
  const hosts = answers.map(({ node }) => node.host);
  return new IchainError(
    "CHAIN_NODES_DISAGREE",
    `The chain's nodes disagree about ${about}: ${hosts.join(", ")}.`,
    { details: { method: about, hosts } },
  );
}
