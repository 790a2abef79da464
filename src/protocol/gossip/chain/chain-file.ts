import { z } from "zod";
import { IchainError } from "../../../errors/error.ts";
import type { Hex } from "../../ids.ts";
import { type Genesis, genesisDigest, genesisSchema } from "../genesis.ts";
import { type FinalBlock, finalBlockSchema } from "../records/block.ts";
import { type RecordChecker, recordChecker } from "../records/signatures.ts";
import { ChainChecker } from "./checker.ts";

/** A peer's chain as a file: JSON lines, the header first, then each block. */

export const MAX_CHAIN_LINE = 4 << 20;
const MAX_BLOCKS = 1_000_000;

const chainHeaderSchema = z.strictObject({
  /** Version of the form. */
  gossip: z.literal(1),
  genesis: genesisSchema,
});

export function chainHeader(genesis: Genesis): z.input<typeof chainHeaderSchema> {
  return { gossip: 1, genesis };
}

export interface GossipChain {
  readonly genesis: Genesis;
  readonly blocks: readonly FinalBlock[];
  /** Final digest of the last block. */
  readonly tip: Hex;
}

/**
 * Reads a chain and checks all of it; see `ChainChecker`.
 * @throws GOSSIP_CHAIN_MALFORMED, GOSSIP_CHAIN_BROKEN
 */
export function readChain(
  lines: Iterable<string>,
  checkerOf: (genesis: Hex) => RecordChecker = recordChecker,
): GossipChain {
  let genesis: Genesis | undefined;
  let checker: ChainChecker | undefined;
  const blocks: FinalBlock[] = [];
  let number = 0;
  for (const line of lines) {
    number += 1;
    if (line === "") continue;
    if (line.length > MAX_CHAIN_LINE || blocks.length >= MAX_BLOCKS) throw malformed(number, "is too long");
    if (checker === undefined) {
      genesis = shaped(chainHeaderSchema, line, number).genesis;
      const digest = genesisDigest(genesis);
      checker = new ChainChecker(digest, checkerOf(digest));
      continue;
    }
    const final = shaped(finalBlockSchema, line, number);
    checker.add(final);
    blocks.push(final);
  }
  if (genesis === undefined || checker === undefined) throw malformed(1, "is no header");
  return { genesis, blocks, tip: checker.tip };
}

function shaped<T>(schema: z.ZodType<T>, line: string, number: number): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw malformed(number, "is no JSON", cause);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw malformed(number, `has a wrong field ${path.join(".")}: ${message}`);
}

function malformed(line: number, why: string, cause?: unknown): IchainError {
  return new IchainError("GOSSIP_CHAIN_MALFORMED", `Line ${line} of the chain ${why.replace(/\.$/, "")}.`, {
    details: { line },
    cause,
  });
}
