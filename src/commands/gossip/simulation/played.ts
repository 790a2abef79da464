import type { GossipSimulationFile } from "../../../protocol/gossip/simulation-file.ts";
import { shortId } from "../../../protocol/ids.ts";
import type { GossipSimulation, NetworkSample } from "../../../roles/gossip/simulation/simulate.ts";
import type { Ui } from "../../../ui/ui.ts";

/** Samples that the end's accuracy is the mean of, as in the paper's published tables. */
const LAST = 10;

/** What a simulation ended with, as `gossip simulate` prints it. */
export function playedOf(
  { name, gossip, simulation: { seed, ticks } }: GossipSimulationFile,
  simulation: GossipSimulation,
  samples: readonly NetworkSample[],
) {
  const { nodes } = simulation.world;
  const last = samples.slice(-LAST);
  const peers = nodes.map(({ at, plays, peer, learner, averagings }) => {
    const blocks = simulation.blocks[at]!;
    const opinions = nodes.flatMap((other) => other.peer.reputations.get(peer.account) ?? []);
    return {
      peer: at,
      account: peer.account,
      plays,
      accuracy: samples.at(-1)!.accuracies[at]!,
      trainings: learner.trainings,
      averagings,
      blocks: blocks.length,
      receipts: blocks.reduce(
        (sum, { block }) => sum + block.transactions.reduce((all, { receipts }) => all + receipts.length, 0),
        0,
      ),
      confirmations: blocks.reduce((sum, { confirmations }) => sum + confirmations.length, 0),
      ...(opinions.length > 0 && {
        reputation: { least: Math.min(...opinions), most: Math.max(...opinions) },
      }),
    };
  });
  return {
    event: "end",
    name,
    seed: String(seed),
    rule: gossip.rule,
    ticks,
    accuracy: last.reduce((sum, { accuracy }) => sum + accuracy, 0) / last.length,
    ...simulation.traffic,
    peers,
  };
}

export function describeSample({ tick, accuracy, accuracies, difference }: NetworkSample): string {
  const all = accuracies.map((one) => one.toFixed(2)).join(" ");
  const apart = difference.map((one) => one.toFixed(2)).join(" ");
  return `${String(tick).padStart(6)}  ${accuracy.toFixed(4)}  of each: ${all}  apart: ${apart}`;
}

export function describePlayed(
  ui: Ui,
  {
    rule,
    ticks,
    accuracy,
    messages,
    refused,
    peers,
    plot,
    chains,
  }: ReturnType<typeof playedOf> & { plot?: string; chains?: string },
): string {
  const columns = [
    "peer",
    "account",
    "plays",
    "accuracy",
    "trained",
    "averaged",
    "blocks",
    "confirmed",
    "reputation",
  ];
  const rows = peers.map((one) => [
    String(one.peer),
    shortId(one.account),
    one.plays,
    one.accuracy.toFixed(3),
    String(one.trainings),
    String(one.averagings),
    String(one.blocks),
    `${one.confirmations} of ${one.receipts}`,
    one.reputation === undefined
      ? ""
      : `${one.reputation.least.toFixed(2)} to ${one.reputation.most.toFixed(2)}`,
  ]);
  const drawn = plot === undefined ? "" : `\nThe curve is in ${plot}.`;
  const kept = chains === undefined ? "" : `\nThe peers' chains are in ${chains}: ichain gossip verify.`;
  return (
    `After ${ticks} ticks of ${rule}: accuracy ${accuracy.toFixed(4)}, ${messages} messages, ${refused} passed over\n` +
    `${ui.table(columns, rows)}${drawn}${kept}`
  );
}
