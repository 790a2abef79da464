import type { Result } from "ethers";
import {
  type ImprovementFact,
  type ImprovementState,
  improvementStates,
} from "../../protocol/campaign/improvement/market.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { artifactOf } from "./artifacts.ts";
import type { RawLog } from "./decode.ts";

/** The event of `ImprovementMarket` in `log`; undefined when it is none that ichain knows. */
export function decodeImprovementEvent(log: RawLog): ImprovementFact | undefined {
  const parsed = artifactOf("ImprovementMarket").abi.parseLog({ topics: [...log.topics], data: log.data });
  if (parsed === null) return undefined;
  const facts = parsed.args.toObject();
  const entry = Number(facts.entry);
  switch (parsed.name) {
    case "MarketOpened": {
      const { bounty, leastStake, fee, showBy, stepWindow, spec } = (facts.offer as Result).toObject();
      const offer = { bounty, leastStake, fee, showBy: Number(showBy), stepWindow: Number(stepWindow), spec };
      return { kind: "marketOpened", owner: facts.owner as Address, offer };
    }
    case "Staked":
      return { kind: "entryStaked", entry, author: facts.author as Address, amount: facts.amount as bigint };
    case "MarketBegan":
      return { kind: "marketBegan", state: stateOf(facts.state), drawBlock: Number(facts.drawBlock) };
    case "MarketPanelDrawn":
      return { kind: "marketDrawn", members: Number(facts.members) };
    case "RootCommitted":
      return { kind: "rootCommitted", member: facts.member as Address };
    case "RootRevealed":
      return { kind: "rootRevealed", member: facts.member as Address, root: facts.root as Hex };
    case "MarketSettled":
      return { kind: "marketSettled", state: stateOf(facts.state), root: facts.root as Hex };
    case "Claimed": {
      const { account, amount } = facts;
      return { kind: "payoutClaimed", entry, account: account as Address, amount: amount as bigint };
    }
    case "Swept":
      return { kind: "marketSwept", amount: facts.amount as bigint };
    default:
      return undefined;
  }
}

function stateOf(value: unknown): ImprovementState {
  const state = improvementStates[Number(value) - 1];
  if (state === undefined) throw new RangeError("an unknown state");
  return state;
}
