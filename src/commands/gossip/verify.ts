import { resolve } from "node:path";
import { IchainError } from "../../errors/error.ts";
import type { Hex } from "../../protocol/ids.ts";
import type { CommandContext } from "../framework/declaration.ts";
import { openChain } from "./open-chain.ts";

/** Checks a peer's chain offline: every record's signature, its place, and that enough witnesses confirmed each block. */
export async function run(
  { ui }: CommandContext,
  args: { chain: string },
  options: { tip?: Hex },
): Promise<void> {
  const { genesis, blocks, tip } = await openChain(args.chain);
  if (options.tip !== undefined && options.tip !== tip) {
    throw new IchainError("GOSSIP_CHAIN_OTHER_TIP", `The chain ends with ${tip}, not with ${options.tip}.`, {
      details: { tip },
    });
  }
  const transactions = blocks.flatMap(({ block }) => block.transactions);
  const found = {
    chain: resolve(args.chain),
    name: genesis.name,
    ...(blocks[0] !== undefined && { creator: blocks[0].block.creator.account }),
    blocks: blocks.length,
    transactions: transactions.length,
    receipts: transactions.reduce((sum, { receipts }) => sum + receipts.length, 0),
    confirmations: blocks.reduce((sum, { confirmations }) => sum + confirmations.length, 0),
    tip,
  };
  ui.print(
    found,
    () =>
      `${found.name}: ${found.blocks} blocks with ${found.transactions} transactions, ${found.receipts} receipts, ${found.confirmations} confirmations; all of it holds.\n` +
      `Peer  ${found.creator ?? "none yet"}\nTip   ${tip}`,
  );
}
