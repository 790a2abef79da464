import type { Hex } from "../protocol/ids.ts";

/** What the operator should look at while work goes on; each is reported once in a market's life. */
export type ChainWarning =
  /** Seconds that the wall clock is ahead of the chain's, negative when it is behind. */
  | { kind: "clock-differs"; seconds: number }
  /** A transaction waits, and its fee is not raised beyond what the configuration allows. */
  | { kind: "fee-capped"; hash: Hex }
  /** One of several nodes gives no answer, or is on another chain. */
  | { kind: "node-silent"; host: string }
  /** The head of one of two nodes does not advance; the other is followed alone. */
  | { kind: "node-behind"; host: string }
  /** One node contradicts a majority of the others; or several differ and none has a majority. */
  | { kind: "nodes-differ"; hosts: readonly string[]; method: string };

export type Warn = (warning: ChainWarning) => void;

/** The warning as a sentence. */
export function warningText(warning: ChainWarning): string {
  switch (warning.kind) {
    case "clock-differs":
      return clockText(warning.seconds);
    case "fee-capped":
      return `Transaction ${warning.hash} waits: a higher fee than fees.maxGwei or fees.timesMedian in config.yaml would be needed.`;
    case "node-silent":
      return `The chain's node at ${warning.host} gives no answer, or is on another chain; the others are asked.`;
    case "node-behind":
      return `The head of the chain's node at ${warning.host} does not advance; the other one is followed alone until it does.`;
    case "nodes-differ":
      return warning.hosts.length === 1
        ? `The chain's node at ${warning.hosts[0]} contradicts most others (${warning.method}); the majority decides.`
        : `The chain's nodes at ${warning.hosts.join(" and ")} disagree (${warning.method}); calls wait until they agree. A third node would decide.`;
  }
}

function clockText(seconds: number): string {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return `This machine's clock is ${minutes} min ${seconds > 0 ? "ahead of" : "behind"} the chain's; deadlines are judged by the chain's. Set the clock (NTP), or look at the node with "ichain doctor".`;
}
