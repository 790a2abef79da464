import { type AbortOptions, linkSignals } from "../../../async/abort.ts";
import { IchainError, isIchainError } from "../../../errors/error.ts";
import type { Node, NodeAnswer } from "./node.ts";
import { keyOf, type Rule } from "./rules.ts";

/** The nodes of one chain, and how many of them have to say the same. */
export interface Panel {
  readonly nodes: readonly Node[];
  /** Those that are worth asking now; all of them when too few are. */
  usable(): Node[];
  /**
   * How many of `answering` nodes decide. Of three and more nodes a majority of all, so that fewer can make
   * us do nothing; of two both, or the one that answers while the other does not.
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

/** Answers that say the same, the largest group first. */
export function groupAnswers(rule: Rule, answers: readonly NodeAnswer[]): NodeAnswer[][] {
  const byKey = new Map<string, NodeAnswer[]>();
  for (const answer of answers) {
    const key = keyOf(rule, answer);
    if (key !== undefined) byKey.set(key, [...(byKey.get(key) ?? []), answer]);
  }
  // A refusal without a reason goes with any other.
  const bare = byKey.get("no ") ?? [];
  const reasoned = [...byKey].filter(([key]) => key.startsWith("no 0x"));
  if (bare.length > 0 && reasoned.length > 0) {
    byKey.delete("no ");
    for (const [key, group] of reasoned) byKey.set(key, [...group, ...bare]);
  }
  return [...byKey.values()].sort((a, b) => b.length - a.length);
}

/** The answers of which enough nodes gave the same; undefined when there are none such. */
export function agreed(panel: Panel, rule: Rule, answers: readonly NodeAnswer[]): NodeAnswer[] | undefined {
  const [first, second] = groupAnswers(rule, answers);
  if (first === undefined || (second !== undefined && second.length === first.length)) return undefined;
  const answering = answers.filter((answer) => keyOf(rule, answer) !== undefined).length;
  return first.length >= panel.quorum(answering) ? first : undefined;
}

/** Why `answers` decide nothing: too few are there, or they differ. */
export function undecided(panel: Panel, rule: Rule, answers: readonly NodeAnswer[], about: string): unknown {
  const real = answers.filter((answer) => keyOf(rule, answer) !== undefined);
  if (real.length >= Math.max(1, panel.quorum(real.length))) return disagreement(real, about);
  const errors = answers.flatMap((answer) => (answer.kind === "none" ? [answer.error] : []));
  if (errors.length > 0 && errors.every((error) => isIchainError(error, "CHAIN_MISMATCH"))) return errors[0];
  return new IchainError(`Too few of the chain's ${panel.nodes.length} nodes answer to ${about}.`, {
    code: "CHAIN_UNAVAILABLE",
    class: "unavailable",
    hint: "See with `ichain doctor` which ones do, then try again or name others; nothing was lost.",
    retryable: true,
    cause: errors[0],
    details: { method: about, hosts: panel.nodes.map(({ host }) => host) },
  });
}

/** What they differ about is acted on by nobody. */
export function disagreement(answers: readonly NodeAnswer[], about: string): IchainError {
  const hosts = answers.map(({ node }) => node.host);
  return new IchainError(`The chain's nodes disagree about ${about}: ${hosts.join(", ")}.`, {
    code: "CHAIN_NODES_DISAGREE",
    class: "unavailable",
    hint: "One of them lies or is on a fork; `ichain doctor` shows each. Wait, or name a third node that decides.",
    retryable: true,
    details: { method: about, hosts },
  });
}
