import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { CommandContext } from "../framework/declaration.ts";
import { storedLines } from "./open-chain.ts";

/** Writes the chain of a peer's store into a file, as it is there; `gossip verify` checks either. */
export async function run({ ui }: CommandContext, args: { store: string; file: string }): Promise<void> {
  const lines = await storedLines(args.store);
  const text = lines.map((line) => `${line}\n`).join("");
  await writeFile(args.file, text);
  const written = { file: resolve(args.file), blocks: lines.length - 1, bytes: Buffer.byteLength(text) };
  ui.print(written, () => `${written.blocks} blocks are in ${written.file}: ichain gossip verify.`);
}
