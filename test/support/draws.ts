import type { EvmNode } from "../../src/devnet/evm-node.ts";

/** More blocks than a draw waits for its seed. */
const DRAW_BLOCKS = 8;

/** Lets a draw that is under way happen: a devnet mines no blocks for nobody. */
export async function passDraw(evm: Pick<EvmNode, "increaseTime">): Promise<void> {
  for (let block = 0; block < DRAW_BLOCKS; block += 1) await evm.increaseTime(1);
}

/** `text` of the digits job, with this many validators. */
export function withValidators(text: string, validators: number): string {
  return text.replace(/threshold: 0\.95\n/, `threshold: 0.95\n  validators: ${validators}\n`);
}
