import type { Hex } from "../protocol/ids.ts";

/** What somebody should look at though the work goes on; each is told once in a market's life. */
export type ChainWarning =
  /** Seconds that the wall clock is ahead of the chain's, negative when it is behind. */
  | { kind: "clock-differs"; seconds: number }
  /** A transaction waits, and its fee is not raised beyond what the configuration allows. */
  | { kind: "fee-capped"; hash: Hex }
  /** One of several nodes gives no answer, or is on another chain. */
  | { kind: "node-silent"; host: string }
  /** The newest block of one of two nodes stands still; the other is followed alone. */
  | { kind: "node-behind"; host: string }
  /** One node says what most others deny; or several, none of which can be believed. */
  | { kind: "nodes-differ"; hosts: readonly string[]; method: string };

export type Warn = (warning: ChainWarning) => void;

/** For people. */
export function warningText(warning: ChainWarning): string {
  switch (warning.kind) {
    case "clock-differs":
      return clockText(warning.seconds);
    case "fee-capped":
      return `Transaction ${warning.hash} waits: a higher fee than fees.maxGwei or fees.timesMedian in config.yaml would be needed.`;
    case "node-silent":
      return `The chain's node at ${warning.host} gives no answer, or is on another chain; the others are asked.`;
    case "node-behind":
      return `The chain's node at ${warning.host} stands still; the other one is followed alone until it goes on.`;
    case "nodes-differ":
      return warning.hosts.length === 1
        ? `The chain's node at ${warning.hosts[0]} says what most others deny (${warning.method}); it is outvoted.`
        : `The chain's nodes at ${warning.hosts.join(" and ")} disagree (${warning.method}); nothing is done about it until they agree. A third one would decide.`;
  }
}

function clockText(seconds: number): string {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return `This machine's clock is ${minutes} min ${seconds > 0 ? "ahead of" : "behind"} the chain's; deadlines are judged by the chain's. Set the clock (NTP), or look at the node with "ichain doctor".`;
}
