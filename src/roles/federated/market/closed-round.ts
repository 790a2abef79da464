import { IchainError } from "../../../errors/error.ts";
import { readAggregation } from "../../../protocol/federated/ledger/ledger.ts";
import { type LedgerDomain, recordHash } from "../../../protocol/federated/ledger/record.ts";
import { payLeaf, treeRoot } from "../../../protocol/federated/ledger/tree.ts";
import type { Closing } from "../../../protocol/federated/market/closing.ts";
import type { RoundMessage } from "../../../protocol/federated/market/messages.ts";
import type { Address, Hex } from "../../../protocol/ids.ts";
import type { ClosedRound } from "./requester/round/books.ts";

const NOTHING = `0x${"0".repeat(64)}` as Hex;

/**
 * A closed round as a seat tells of it, once it is seen to be what the chain has.
 * @throws FEDERATED_MESSAGE_INVALID
 */
export function closedRoundIn(
  { ledger, last }: Pick<RoundMessage, "ledger" | "last">,
  closing: Closing,
  earnedBefore: ClosedRound["earned"],
  domain: LedgerDomain,
): ClosedRound {
  const told = readAggregation(ledger.at(-1) ?? "");
  const earned = told.earned.map(([one, amount]) => [one as Address, BigInt(amount)] as const);
  const isChains =
    recordHash(told.aggregation, domain) === closing.ledgerTip &&
    treeRoot(earned.map(([one, amount]) => payLeaf(one, amount))) === closing.payRoot;
  if (!isChains)
    throw new IchainError(
      "FEDERATED_MESSAGE_INVALID",
      `What a seat tells of round ${closing.round} is not what the chain has.`,
    );
  const [before, now] = [new Map(earnedBefore), new Map(earned)];
  const bytes = new Map(last?.bytes ?? []);
  const sent = told.members.filter(({ upload }) => upload !== NOTHING);
  return {
    ...{ round: closing.round, closing, lines: [...ledger], earned, members: told.members },
    paid: told.members.map(({ provider }) => [
      provider,
      (now.get(provider) ?? 0n) - (before.get(provider) ?? 0n),
    ]),
    took: sent.map(({ provider }) => [provider, { bytes: bytes.get(provider) ?? 0, seconds: 0 }]),
    before: last?.before,
  };
}
