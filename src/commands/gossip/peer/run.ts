import { type GossipLine, runGossip } from "../../../daemon/gossip.ts";
import { shortId } from "../../../protocol/ids.ts";
import { loadAveragingRule } from "../../../roles/gossip/load-rule.ts";
import type { CommandContext } from "../../framework/declaration.ts";
import { loadPeerFile } from "./peer-file.ts";

/** Takes part in a gossip network until Ctrl-C, `ichain stop`, or `ichain drain`; a second run goes on. */
export async function run(context: CommandContext, args: { file: string }): Promise<void> {
  const loaded = await loadPeerFile(args.file);
  const rule = await loadAveragingRule(loaded.file.gossip.rule, loaded.folder);
  await runGossip(context, { ...loaded, rule }, (line) => context.ui.stream(line, `${describe(line)}\n`));
}

function describe(line: GossipLine): string {
  switch (line.event) {
    case "ready":
      return `Peer ${line.account}, ${line.blocks} blocks so far. Ctrl-C stops. Others name it by\n${line.address}`;
    case "neighbour":
      return `Neighbour ${shortId(line.account)} ${line.answers ? "answers" : "does not answer"}`;
    case "trained":
      return `Training ${line.trainings} took ${line.seconds} s`;
    case "measured":
      return `Measured ${line.models} models; the own one has accuracy ${line.accuracy.toFixed(3)}`;
    case "averaged":
      return `Averaged with ${line.models - line.leftOut} of ${line.models} models`;
    case "block":
      return `Block ${line.height} is final: ${line.transactions} transactions, ${line.confirmations} of ${line.receipts} receipts confirmed`;
    case "ended":
      return `Ended with ${line.blocks} blocks`;
  }
}
