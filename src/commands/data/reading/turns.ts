import { type Campaign, isCampaignFinal, isVoteOpen } from "../../../protocol/campaign/campaign.ts";
import { campaignFeesOf, type FixPlace } from "../../../protocol/campaign/terms.ts";
import { type Address, sameAddress, shortId } from "../../../protocol/ids.ts";
import { instant, money } from "../../../ui/format.ts";
import { type CampaignSight, paysText, placesOf, placeText } from "./view.ts";

/** A {@link Turn}; `yours`: this account may do it, or is paid by it. */
export type CampaignTurn = Turn & { readonly yours: boolean };

/** What can be done in a campaign now, and what happens when it is not. */
interface Turn {
  /** Who may, as a sentence begins. */
  readonly who: string;
  /** Those who may; where anyone may, those that it pays. */
  readonly accounts: readonly Address[];
  /** Last second, Unix time; undefined where it stays possible. */
  readonly until: number | undefined;
  /** After "can". */
  readonly does: string;
  readonly command: string;
  /** A sentence. */
  readonly otherwise: string;
}

/** Where a campaign stands: in three sentences, of which the second and third are of the turn that comes first. */
export interface CampaignStory {
  readonly stands: string;
  readonly next: string;
  readonly otherwise: string;
  /** The soonest first. */
  readonly turns: readonly CampaignTurn[];
}

const ANYONE = "Anyone";

/** Says where a campaign stands, who can act by when, and what happens then; this account's turns come first. */
export function campaignStory(campaign: Campaign, sight: CampaignSight): CampaignStory {
  const { account } = sight;
  const isOwn = ({ accounts }: Turn) =>
    account !== undefined && accounts.some((one) => sameAddress(one, account));
  const turns = turnsOf(campaign, sight)
    .map((turn) => ({ ...turn, yours: isOwn(turn) }))
    .toSorted((a, b) => (a.until ?? Number.POSITIVE_INFINITY) - (b.until ?? Number.POSITIVE_INFINITY));
  const first = turns.find(({ yours }) => yours) ?? turns[0];
  const stands = standsText(campaign, sight);
  if (first === undefined) {
    return {
      stands,
      next: "No party has to act.",
      otherwise: "Nothing more can happen to its money.",
      turns,
    };
  }
  return { stands, next: turnText(first), otherwise: first.otherwise, turns };
}

/** A turn as one sentence: who, what, until when, and the command for those who may. */
export function turnText({ who, yours, does, until, command }: CampaignTurn): string {
  const by = until === undefined ? "" : ` until ${instant(until)}`;
  const how = yours || who.startsWith(ANYONE) ? `: ${command}` : "";
  return `${yours ? "You" : who} can ${does}${by}${how}.`;
}

function standsText(campaign: Campaign, { now, token }: CampaignSight): string {
  const { rules, terms } = campaign;
  if (isCampaignFinal(campaign)) return "It is closed, and holds no account's money any more.";
  const added = rules.entries.reduce((sum, { count }) => sum + count, 0);
  const open = rules.places().filter((place) => rules.fixOf(place)!.state !== "Taken").length;
  const takes =
    rules.isOpen && now <= terms.closesAt
      ? `It takes rows until ${instant(terms.closesAt)}`
      : "It takes no rows any more";
  return `${takes}: ${added} of ${terms.rows} are added; open fixes: ${open}; it holds ${money(rules.held(), token)}.`;
}

function turnsOf(campaign: Campaign, sight: CampaignSight): Turn[] {
  const { rules } = campaign;
  return [
    ...placesOf(campaign).flatMap((place) => fixTurns(campaign, place, sight)),
    ...rules.entries.flatMap((_, entry) => entryTurns(campaign, entry, sight)),
    ...openTurns(campaign, sight),
    ...hiddenTurns(campaign),
  ];
}

function fixTurns(campaign: Campaign, place: FixPlace, { now, token }: CampaignSight): Turn[] {
  const { rules, terms, id } = campaign;
  const fix = rules.fixOf(place)!;
  const { state, verdict, deadline, votes, fixer } = fix;
  const { owner, stepWindow } = terms;
  const { author } = rules.entries[place.entry]!;
  const at = placeText(place);
  const pays = (right: boolean | undefined) => paysText(campaign, place, right, token);
  const command = (verb: string, more = "") => `"ichain data ${verb} ${shortId(id)}${more}"`;
  if (rules.allows({ kind: "take", by: owner, place }, now)) {
    const comes = state === "Voting" ? "As its panel found, it pays." : pays(verdict);
    const accounts = [owner, author, fixer, ...votes.keys()];
    const otherwise = `${comes} Until then its money waits.`;
    return [
      { who: ANYONE, accounts, until: undefined, does: `end fix ${at}`, command: command("take"), otherwise },
    ];
  }
  const appeal = {
    does: `have a panel judge fix ${at} for ${money(campaignFeesOf(terms), token)}`,
    command: command("appeal", ` ${at}`),
  };
  switch (state) {
    case "Judging": {
      const silent = deadline + stepWindow;
      if (now > silent) return [];
      if (now > deadline) {
        const accounts = [author, fixer];
        return [
          {
            ...{ who: "Author or fixer", accounts, until: silent },
            ...{ ...appeal, otherwise: `Otherwise: ${pays(undefined)}` },
          },
        ];
      }
      const otherwise = `Otherwise author or fixer may appeal until ${instant(silent)}; if neither does, the row stands and the bond goes back.`;
      const judge = command("judge", ` ${at} right`);
      return [
        {
          ...{ who: "The owner", accounts: [owner], until: deadline, does: `judge fix ${at}` },
          ...{ command: `${judge}, or wrong`, otherwise },
        },
      ];
    }
    case "Judged": {
      if (now > deadline) return [];
      const [who, loser] = verdict ? (["The author", author] as const) : (["The fixer", fixer] as const);
      const otherwise = `Otherwise it is ${verdict ? "right" : "wrong"}, as the owner says: ${pays(verdict)}`;
      return [{ who, accounts: [loser], until: deadline, ...appeal, otherwise }];
    }
    case "Drawing": {
      if (now > deadline) return [];
      const accounts = [owner, author, fixer];
      const otherwise = `Otherwise there is no panel, and its fees go back: ${pays(verdict)}`;
      return [
        {
          ...{ who: ANYONE, accounts, until: deadline, does: `draw the panel of fix ${at}` },
          ...{ command: command("take"), otherwise },
        },
      ];
    }
    case "Voting": {
      const isOpen = isVoteOpen(fix, now);
      const late = [...votes].filter(([, { right, revealed }]) =>
        isOpen ? right !== undefined && !revealed : right === undefined,
      );
      if (late.length === 0) return [];
      const all = [...votes.values()].every(({ right }) => right !== undefined);
      return [
        {
          who: "The panel",
          accounts: late.map(([member]) => member),
          until: isOpen && !all ? deadline + stepWindow : deadline,
          does: isOpen ? `show its votes on fix ${at}` : `vote on fix ${at}`,
          command: isOpen
            ? '"ichain validate", or "ichain resume"'
            : `${command("judge", ` ${at} right --panel`)}, or wrong`,
          otherwise: "Otherwise the other votes decide, and who is silent gets no fee.",
        },
      ];
    }
    default:
      return [];
  }
}

function entryTurns({ rules, terms, id }: Campaign, entry: number, { now, token }: CampaignSight): Turn[] {
  const { author, addedAt, count, contested, deposit, refunded } = rules.entries[entry]!;
  if (refunded) return [];
  const until = addedAt + terms.fixWindow;
  const each = money(deposit + terms.price, token);
  if (now > until) {
    const does = `credit ${count - contested} rows of entry ${entry} to their author, ${each} each`;
    const command = `"ichain data refund ${shortId(id)}"`;
    const otherwise = "Until then their money waits.";
    return [{ who: ANYONE, accounts: [author], until: undefined, does, command, otherwise }];
  }
  return [
    {
      ...{ who: `${ANYONE} but its author`, accounts: [], until, does: `fix rows of entry ${entry}` },
      command: `"ichain data fix ${shortId(id)} ${entry}/ROW"`,
      otherwise: `Each that stands brings its author ${each}.`,
    },
  ];
}

function openTurns({ rules, terms, id }: Campaign, { now, token }: CampaignSight): Turn[] {
  if (!rules.isOpen) return [];
  const { owner, closesAt, price } = terms;
  const back = money(BigInt(rules.left) * price, token);
  const close = { does: "close it", command: `"ichain data close ${shortId(id)}"`, accounts: [owner] };
  if (now > closesAt) {
    const otherwise = `${back} go back to the owner, and wait until then.`;
    return [{ who: ANYONE, ...close, until: undefined, otherwise }];
  }
  if (rules.left === 0) {
    const otherwise = "It takes no more rows; otherwise anyone may close it later.";
    return [{ who: "The owner", ...close, until: closesAt, otherwise }];
  }
  const deposit = money(rules.depositOf(1, now), token);
  return [
    {
      ...{ who: ANYONE, accounts: [], until: closesAt },
      does: `add up to ${rules.left} rows, each for a deposit of ${deposit} at least and a price of ${money(price, token)},`,
      command: `"ichain data add ${shortId(id)} rows.txt"`,
      otherwise: `What no row takes goes back to the owner, now ${back}.`,
    },
  ];
}

/** Of the hidden test set, which the owner shows when it wants. */
function hiddenTurns({ terms, slices, id, improvement }: Campaign): Turn[] {
  if (slices.length >= terms.slices) return [];
  const otherwise =
    improvement?.state === "Open"
      ? `Where not all are shown by ${instant(improvement.offer.showBy)}, its improvement market gives stakes and bounty to those that staked.`
      : "No money depends on it.";
  return [
    {
      ...{ who: "The owner", accounts: [terms.owner], until: undefined },
      does: `show a slice of the hidden test set (${slices.length} of ${terms.slices} are shown)`,
      command: `"ichain data reveal ${shortId(id)}"`,
      otherwise,
    },
  ];
}
