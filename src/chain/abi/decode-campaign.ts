import type { LogDescription, Result } from "ethers";
import { IchainError } from "../../errors/error.ts";
import type { CampaignEvent, CampaignFact } from "../../protocol/campaign/events.ts";
import { type CampaignTerms, campaignIdOf, type FixPlace } from "../../protocol/campaign/terms.ts";
import type { Publication } from "../../protocol/campaign/versions.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { artifactOf } from "./artifacts.ts";
import { MAX_LOG_BYTES, type RawLog } from "./decode.ts";
import { decodeImprovementEvent } from "./decode-improvement.ts";

/** `FixVerdict.Right`. */
const RIGHT = 1;

/**
 * The event of `DataCampaign`, or of `ImprovementMarket` beside it, in `log`, whose block has the time `at`; undefined when ichain does not know it, or when the
 * terms do not hash to the campaign's id, so that a node cannot make up a campaign.
 */
export function decodeCampaignEvent(
  log: RawLog & { readonly at: number },
  chainId: bigint,
  campaigns: Address,
): CampaignEvent | undefined {
  if (log.data.length > 2 + 2 * MAX_LOG_BYTES) return undefined;
  const { block, at } = log;
  try {
    const parsed = artifactOf("DataCampaign").abi.parseLog({ topics: [...log.topics], data: log.data });
    const fact =
      parsed === null
        ? decodeImprovementEvent(log)
        : parsed.name === "Opened"
          ? openedOf(parsed, chainId, campaigns)
          : factOf(parsed);
    return fact && { ...fact, block, at };
  } catch (error) {
    // A log that does not decode is ignored; missing artifacts are the caller's problem.
    if (error instanceof IchainError) throw error;
    return undefined;
  }
}

function openedOf({ args }: LogDescription, chainId: bigint, campaigns: Address): CampaignFact | undefined {
  const { campaignId, terms: given, description } = args.toObject();
  const terms = termsOf(given);
  const id = (campaignId as string).toLowerCase() as Hex;
  if (campaignIdOf(chainId, campaigns, terms) !== id) return undefined;
  return { kind: "opened", id, terms, description };
}

function factOf({ name, args }: LogDescription): CampaignFact | undefined {
  const facts = args.toObject();
  switch (name) {
    case "Added": {
      const { author, root, locator } = facts;
      return {
        kind: "added",
        entry: Number(facts.entry),
        author,
        root,
        count: Number(facts.count),
        locator,
      };
    }
    case "FixAdded": {
      const { fixer, original, corrected, content } = facts;
      const place = { entry: Number(facts.entry), row: Number(facts.row), fix: Number(facts.fix) };
      return { kind: "fixed", place, fixer, original, corrected, content };
    }
    case "Refunded":
      return { kind: "refunded", entry: Number(facts.entry) };
    case "SliceDrawn":
      return { kind: "sliceDrawn", slice: Number(facts.slice) };
    case "SliceRevealed": {
      const { digest, salt, locator } = facts;
      return { kind: "sliceRevealed", slice: Number(facts.slice), digest, salt, locator };
    }
    case "VersionPublished":
      return { kind: "published", publication: publicationOf(facts.version, facts) };
    case "CampaignClosed":
      return { kind: "closed" };
    default:
      return facts.place === undefined ? undefined : fixFactOf(name, placeOf(facts.place), facts);
  }
}

function fixFactOf(name: string, place: FixPlace, facts: Record<string, unknown>): CampaignFact | undefined {
  const member = facts.member as Address;
  switch (name) {
    case "FixJudged":
      return { kind: "judged", place, right: Number(facts.verdict) === RIGHT };
    case "Appealed":
      return {
        kind: "appealed",
        place,
        appellant: facts.appellant as Address,
        drawBlock: Number(facts.drawBlock),
      };
    case "PanelMissed":
      return { kind: "panelMissed", place, drawBlock: Number(facts.drawBlock) };
    case "PanelDrawn":
      return { kind: "panelDrawn", place, members: (facts.members as Result).toArray() };
    case "VoteCommitted":
      return { kind: "voteCommitted", place, member };
    case "VoteRevealed":
      return { kind: "voteRevealed", place, member, right: facts.right as boolean };
    case "FixTaken":
      return { kind: "taken", place };
    default:
      return undefined;
  }
}

function publicationOf(given: Result, { without, locator }: Record<string, Hex>): Publication {
  const { number, rows, asOf, jobId: job, rowsDigest, modelDigest, score } = given.toObject();
  return {
    ...{ number: Number(number), rows: Number(rows), asOf: Number(asOf) },
    ...{ job, rowsDigest, modelDigest, score, without: without!, locator: locator! },
  };
}

function placeOf(given: Result): FixPlace {
  const { entry, row, fix } = given.toObject();
  return { entry: Number(entry), row: Number(row), fix: Number(fix) };
}

function termsOf(given: Result): CampaignTerms {
  const facts = given.toObject();
  const { owner, token, deposit, price, reward, bond, fee, specHash, examRoot } = facts;
  const number = (name: string) => Number(facts[name]);
  return {
    ...{ owner, token, deposit, price, reward, bond, fee, specHash, examRoot },
    ...{ rows: number("rows"), capacity: number("capacity"), closesAt: number("closesAt") },
    ...{ fixWindow: number("fixWindow"), stepWindow: number("stepWindow"), slices: number("slices") },
  };
}
