import type { Hex } from "../protocol/ids.ts";

/** What somebody should look at though the work goes on; each is told once in a market's life. */
export type ChainWarning =
  /** Seconds that the wall clock is ahead of the chain's, negative when it is behind. */
  | { kind: "clock-differs"; seconds: number }
  /** A transaction waits, and its fee is not raised beyond what the configuration allows. */
  | { kind: "fee-capped"; hash: Hex };

export type Warn = (warning: ChainWarning) => void;

/** For people. */
export function warningText(warning: ChainWarning): string {
  if (warning.kind === "fee-capped") {
    return `Transaction ${warning.hash} waits: a higher fee than fees.maxGwei or fees.timesMedian in config.yaml would be needed.`;
  }
  const { seconds } = warning;
  const minutes = Math.round(Math.abs(seconds) / 60);
  return `This machine's clock is ${minutes} min ${seconds > 0 ? "ahead of" : "behind"} the chain's; deadlines are judged by the chain's. Set the clock (NTP), or look at the node with "ichain doctor".`;
}
