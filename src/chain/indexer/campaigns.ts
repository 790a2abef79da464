import type { CampaignFilter } from "../../ports/market/campaign.ts";
import { type Campaign, type CampaignRole, foldCampaign } from "../../protocol/campaign/campaign.ts";
import type { Address, Hex } from "../../protocol/ids.ts";
import { artifactOf } from "../abi/artifacts.ts";
import type { RawLog } from "../abi/decode.ts";
import { decodeCampaignEvent } from "../abi/decode-campaign.ts";
import type { Database } from "../database.ts";
import { changedJobs } from "./jobs.ts";

/** The read half of the index of data campaigns. */
export interface CampaignIndex {
  /** Folded from its logs; undefined when the index has none. */
  find(id: Hex): Campaign | undefined;
  /** Campaigns that match and changed after `touched`, oldest change first. */
  changed(filter: CampaignFilter, touched: number): { id: Hex; touched: number }[];
  /** As `JobIndex.touched`. */
  touched(id: Hex): number;
  /** As `JobIndex.startingWith`. */
  startingWith(prefix: Hex, limit: number): Hex[];
}

export function openCampaignIndex(
  db: Database,
  chainId: bigint,
  contract: Address | undefined,
): CampaignIndex {
  const logsOf = db.prepare(
    `SELECT block, topics, data, time AS at FROM logs JOIN block_times USING (block)
     WHERE job = ? ORDER BY block, position`,
  );
  const touchOf = db.prepare("SELECT touched FROM campaigns WHERE job = ?");
  const range = db.prepare("SELECT job FROM campaigns WHERE job >= ? AND job <= ? ORDER BY job LIMIT ?");
  return {
    find(id) {
      if (contract === undefined) return undefined;
      const rows = logsOf.all(id.toLowerCase()) as unknown as {
        block: number;
        topics: string;
        data: Hex;
        at: number;
      }[];
      return foldCampaign(
        rows.flatMap(({ topics, ...log }) => {
          const raw = { ...log, topics: topics.split(",") as Hex[] };
          return decodeCampaignEvent(raw, chainId, contract) ?? [];
        }),
      );
    },
    changed: (filter, touched) => changedJobs(db, "campaigns", filter, touched),
    touched: (id) => (touchOf.get(id.toLowerCase())?.touched as number | undefined) ?? 0,
    startingWith: (prefix, limit) =>
      range.all(prefix, prefix.padEnd(66, "f"), limit).map((row) => row.job as Hex),
  };
}

/** Reads what the index keeps beside the logs of campaigns themselves. */
export function campaignTopics() {
  const { abi } = artifactOf("DataCampaign");
  const of = (name: string) => abi.getEvent(name)?.topicHash ?? name;
  const [opened, added, fixed, drawn] = [of("Opened"), of("Added"), of("FixAdded"), of("PanelDrawn")];
  return {
    /** Events about money and commitments, whose first topic is no campaign. */
    ofNone: new Set([of("Withdrawn"), of("FixCommitted")]),
    /** Accounts that an event makes a party of its campaign. */
    partiesIn(log: RawLog): { readonly role: CampaignRole; readonly account: Address }[] {
      const [name, , second, third] = log.topics;
      const one = (role: CampaignRole, topic: Hex | undefined) =>
        topic === undefined ? [] : [{ role, account: `0x${topic.slice(-40)}` as Address }];
      if (name === opened) return one("owner", second);
      if (name === added) return one("contributor", third);
      if (name !== fixed && name !== drawn) return [];
      // Neither event has terms, so that chain and contract do not matter.
      const event = decodeCampaignEvent({ ...log, at: 0 }, 0n, `0x${"0".repeat(40)}`);
      if (event?.kind === "fixed") return [{ role: "fixer", account: event.fixer }];
      if (event?.kind === "panelDrawn")
        return event.members.map((account) => ({ role: "panel" as const, account }));
      return [];
    },
  };
}
