import { decide, type OpenDecision, type RoundInput } from "../../../src/protocol/federated/aggregate.ts";
import { BLOCK, CHUNK, type UpdateSource } from "../../../src/protocol/federated/codec/chunk.ts";
import { encodeInt8 } from "../../../src/protocol/federated/codec/int8.ts";
import { openUpdate } from "../../../src/protocol/federated/codec/update.ts";
import { plainStep } from "../../../src/protocol/federated/server/step.ts";
import { strategyOf } from "../../../src/protocol/federated/strategies.ts";
import type { Gains } from "../../../src/protocol/federated/strategy.ts";

/** An update of these codes and scales, whether an encoder would write them or not. */
export function rawUpdate(codes: readonly number[], scales: readonly number[]): UpdateSource {
  return {
    length: codes.length,
    load(index, into) {
      into.codes.fill(0);
      into.codes.set(codes.slice(index * CHUNK, (index + 1) * CHUNK));
      into.scales.fill(0);
      into.scales.set(scales.slice((index * CHUNK) / BLOCK, ((index + 1) * CHUNK) / BLOCK));
    },
  };
}

export function updateOf(...values: readonly number[]): UpdateSource {
  return openUpdate(encodeInt8(values), values.length);
}

export interface Sent {
  readonly update: UpdateSource;
  readonly rows?: number;
  readonly gains?: Gains;
}

/** What the strategy decides of updates from 0x…01, 0x…02, and so on. */
export function decideBy(name: string, sent: readonly Sent[], more: Partial<RoundInput> = {}): OpenDecision {
  return decide({
    strategy: strategyOf(name)!,
    settings: {},
    server: plainStep,
    entries: sent.map((one, i) => ({ rows: 100, ...one, account: accountOf(i) })),
    memory: {},
    ...more,
  });
}

export function accountOf(i: number): `0x${string}` {
  return `0x${(i + 1).toString(16).padStart(40, "0")}`;
}
