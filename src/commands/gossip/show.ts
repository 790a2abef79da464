import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type BlockSummary, summariseBlock, witnessesOf } from "../../protocol/gossip/chain/summary.ts";
import { type Address, shortId } from "../../protocol/ids.ts";
import type { Ui } from "../../ui/ui.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { drawNetwork } from "./network.ts";
import { openChain } from "./open-chain.ts";

/** Shows what chains say: blocks, receipts, and who confirmed whom. Each is checked first. */
export async function run(
  { ui }: CommandContext,
  args: { chains: readonly string[] },
  options: { svg?: string },
): Promise<void> {
  const chains: Shown[] = [];
  for (const path of args.chains) {
    const { blocks } = await openChain(path);
    chains.push({
      chain: resolve(path),
      ...(blocks[0] !== undefined && { creator: blocks[0].block.creator.account }),
      blocks: blocks.map(summariseBlock),
      witnesses: witnessesOf(blocks).map(([account, confirmations]) => ({ account, confirmations })),
    });
  }
  if (options.svg !== undefined) await writeFile(options.svg, drawNetwork(chains));
  const svg = options.svg === undefined ? undefined : resolve(options.svg);
  ui.print({ chains, ...(svg !== undefined && { svg }) }, () =>
    [
      ...chains.map((one) => describe(ui, one)),
      ...(svg === undefined ? [] : [`The network is in ${svg}.`]),
    ].join("\n"),
  );
}

interface Shown {
  readonly chain: string;
  readonly creator?: Address;
  readonly blocks: readonly BlockSummary[];
  readonly witnesses: readonly { readonly account: Address; readonly confirmations: number }[];
}

function describe(ui: Ui, { chain, creator, blocks, witnesses }: Shown): string {
  const head = `${chain}: ${creator === undefined ? "no block yet" : `peer ${creator}`}`;
  const rows = blocks.map((one) => [
    String(one.height),
    String(one.finalizedAt),
    String(one.transactions),
    `${one.confirmations} of ${one.receipts}`,
    one.accuracy.toFixed(3),
  ]);
  const columns = ["block", "final at", "transactions", "confirmed", "accuracy"];
  const who = witnesses
    .map(({ account, confirmations }) => `${shortId(account)} ${confirmations}`)
    .join(", ");
  return blocks.length === 0 ? `${head}\n` : `${head}\n${ui.table(columns, rows)}\nConfirmed by: ${who}\n`;
}
